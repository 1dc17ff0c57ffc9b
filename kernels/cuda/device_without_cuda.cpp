// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/device.h"

namespace chiasm {

CudaDevices cuda_devices() {
  return {.compiled_in = false,
          .driver_version = {},
          .runtime_version = {},
          .devices = {},
          .why_none = "this build of chiasm has no CUDA code (configure with -DCHIASM_WITH_CUDA=ON)"};
}

}  // namespace chiasm

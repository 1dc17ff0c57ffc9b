// SPDX-License-Identifier: Apache-2.0
// Never reached: a build without CUDA has no stream.
#include "kernels/cuda/finite.h"
#include "kernels/error.h"

namespace chiasm {

void flag_nonfinite(const CudaStream&, std::span<const View>, std::int32_t*) {
  throw InternalError("device memory in a build without CUDA");
}

}  // namespace chiasm

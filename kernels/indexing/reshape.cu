// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/copy.cuh"
#include "kernels/indexing/reshape.h"

namespace chiasm {

void Reshape::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  copy_elements(stream, View(in[0].data(), out[0].spec()), out[0]);
}

}  // namespace chiasm

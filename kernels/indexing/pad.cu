// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/copy.cuh"
#include "kernels/indexing/copy.h"
#include "kernels/indexing/pad.h"

namespace chiasm {

void Pad::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  place_elements(stream, in[0], out[0], before, value);
}

void Pad::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, {&dy, 1}, {&dx, 1});
  copy_elements(stream, box_of(dy, before, dx.shape()), dx);
}

}  // namespace chiasm

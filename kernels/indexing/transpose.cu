// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/copy.cuh"
#include "kernels/indexing/transpose.h"

namespace chiasm {

void Transpose::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  Strides strides{};
  for (std::size_t i = 0; i < permutation.size(); ++i) strides[i] = in[0].strides()[permutation[i]];
  copy_elements(stream, View(in[0].data(), out[0].spec(), strides), out[0]);
}

void Transpose::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, {&dy, 1}, {&dx, 1});
  Strides strides{};
  for (std::size_t i = 0; i < permutation.size(); ++i) strides[permutation[i]] = dy.strides()[i];
  copy_elements(stream, View(dy.data(), dx.spec(), strides), dx);
}

}  // namespace chiasm

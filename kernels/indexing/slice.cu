// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "kernels/indexing/copy.cuh"
#include "kernels/indexing/copy.h"
#include "kernels/indexing/slice.h"

namespace chiasm {
namespace {

std::array<std::int64_t, kMaxRank> starts_of(const Slice& slice, const Shape& shape) {
  std::array<std::int64_t, kMaxRank> starts{};
  starts[static_cast<std::size_t>(normalise_axis(Slice::kName.data(), slice.axis, shape.rank()))] = slice.start;
  return starts;
}

}  // namespace

void Slice::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  copy_elements(stream, box_of(in[0], starts_of(*this, in[0].shape()), out[0].shape()), out[0]);
}

void Slice::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, {&dy, 1}, {&dx, 1});
  place_elements(stream, dy, dx, starts_of(*this, dx.shape()), 0.0);
}

}  // namespace chiasm

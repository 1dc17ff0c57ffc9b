// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/slice.h"

#include "kernels/indexing/copy.h"

namespace chiasm {
namespace {

std::array<std::int64_t, kMaxRank> starts_of(const Slice& slice, const Shape& shape) {
  std::array<std::int64_t, kMaxRank> starts{};
  starts[normalise_axis(Slice::kName.data(), slice.axis, shape.rank())] = slice.start;
  return starts;
}

}  // namespace

std::vector<Spec> Slice::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  const int along = normalise_axis(kName.data(), axis, in[0].shape.rank());
  const std::int64_t available = in[0].shape[along];
  if (start < 0 || size < 0 || start > available || size > available - start) {
    throw_shape(kName, "start " + std::to_string(start) + " and size " + std::to_string(size) + " leave axis " +
                           std::to_string(along) + " of shape " + to_string(in[0].shape));
  }
  return {Spec{in[0].dtype, in[0].shape.with(along, size)}};
}

std::optional<std::int64_t> Slice::view_offset(std::span<const Spec> in) const {
  const Shape& shape = in[0].shape;
  const int along = normalise_axis(kName.data(), axis, shape.rank());
  if (!outermost(shape, along)) return std::nullopt;
  return start * Spec{in[0].dtype, shape.with(along, 1)}.bytes();
}

void Slice::forward(CpuStream& stream, Inputs in, Outputs out) const {
  copy_elements(stream, box_of(in[0], starts_of(*this, in[0].shape()), out[0].shape()), out[0]);
}

void Slice::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  const auto starts = starts_of(*this, dx.shape());
  copy_elements(stream, dy, box_of(dx, starts, dy.shape()));
  fill_outside(stream, dx, starts, dy.shape(), 0.0);
}

}  // namespace chiasm

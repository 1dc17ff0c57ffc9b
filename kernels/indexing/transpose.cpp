// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/transpose.h"

#include "kernels/indexing/copy.h"

namespace chiasm {

std::vector<Spec> Transpose::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  const Shape& shape = in[0].shape;
  const auto rank = static_cast<std::size_t>(shape.rank());
  std::vector<std::int64_t> sizes;
  std::array<bool, kMaxRank> taken{};
  bool valid = permutation.size() == rank;
  for (int axis : permutation) {
    valid = valid && axis >= 0 && axis < shape.rank() && !taken[axis];
    if (!valid) break;
    taken[axis] = true;
    sizes.push_back(shape[axis]);
  }
  if (!valid) {
    std::string list;
    for (int axis : permutation) list += (list.empty() ? "" : ", ") + std::to_string(axis);
    throw_shape(kName, "permutation {" + list + "} does not name each axis of shape " + to_string(shape) + " once");
  }
  return {Spec{in[0].dtype, Shape(sizes)}};
}

void Transpose::forward(CpuStream& stream, Inputs in, Outputs out) const {
  Strides strides{};
  for (std::size_t i = 0; i < permutation.size(); ++i) strides[i] = in[0].strides()[permutation[i]];
  copy_elements(stream, View(in[0].data(), out[0].spec(), strides), out[0]);
}

void Transpose::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const {
  Strides strides{};
  for (std::size_t i = 0; i < permutation.size(); ++i) strides[permutation[i]] = dy.strides()[i];
  copy_elements(stream, View(dy.data(), dx.spec(), strides), dx);
}

}  // namespace chiasm

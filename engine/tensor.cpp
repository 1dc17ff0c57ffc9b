// SPDX-License-Identifier: Apache-2.0
#include "engine/tensor.h"

#include <cstring>
#include <string>

namespace chiasm {

Tensor::Tensor(const Spec& spec)
    : spec_(spec), storage_(std::make_shared<Storage>(spec.bytes(), to_string(spec).c_str())) {}

std::span<const std::byte> Tensor::bytes() const {
  return {static_cast<const std::byte*>(view().data()), static_cast<std::size_t>(spec_.bytes())};
}

std::span<std::byte> Tensor::bytes() {
  return {static_cast<std::byte*>(view().data()), static_cast<std::size_t>(spec_.bytes())};
}

Tensor Tensor::clone() const {
  if (!storage_) return {};
  Tensor copy(spec_);
  std::memcpy(copy.bytes().data(), bytes().data(), static_cast<std::size_t>(spec_.bytes()));
  return copy;
}

Tensor Tensor::reshaped(const Shape& shape) const {
  if (shape.elements() != elements()) {
    throw ShapeError("cannot read a tensor of shape " + to_string(spec_.shape) + " as " + to_string(shape));
  }
  Tensor result = *this;
  result.spec_.shape = shape;
  return result;
}

}  // namespace chiasm

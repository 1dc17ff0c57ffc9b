// SPDX-License-Identifier: Apache-2.0
#include "engine/tensor.h"

#include <cstdlib>
#include <cstring>
#include <string>

namespace chiasm {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

Tensor::Tensor(const Spec& spec) : spec_(spec) {
  const std::size_t size = static_cast<std::size_t>(spec.bytes());
  const std::size_t padded = (size + kAlignment - 1) / kAlignment * kAlignment + kAlignment;
  void* memory = std::aligned_alloc(kAlignment, padded);
  if (memory == nullptr) {
    throw SystemError("no memory for a tensor " + to_string(spec) + " of " + std::to_string(size) + " bytes");
  }
  std::memset(memory, 0, size);
  data_ = std::shared_ptr<void>(memory, [](void* p) { std::free(p); });
}

std::span<const std::byte> Tensor::bytes() const {
  return {static_cast<const std::byte*>(data_.get()), static_cast<std::size_t>(spec_.bytes())};
}

std::span<std::byte> Tensor::bytes() {
  return {static_cast<std::byte*>(data_.get()), static_cast<std::size_t>(spec_.bytes())};
}

Tensor Tensor::clone() const {
  if (data_ == nullptr) return {};
  Tensor copy(spec_);
  std::memcpy(copy.data_.get(), data_.get(), static_cast<std::size_t>(spec_.bytes()));
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

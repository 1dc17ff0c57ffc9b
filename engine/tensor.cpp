// SPDX-License-Identifier: Apache-2.0
#include "engine/tensor.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace chiasm {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

Tensor::Tensor(const Spec& spec) : spec_(spec) {
  const std::size_t size = static_cast<std::size_t>(spec.bytes());
  // Large blocks come from calloc as pages that are zero without being touched: an arena takes memory as it is used.
  const std::size_t padded = size + 2 * kAlignment;
  void* const block = std::calloc(1, padded);
  if (block == nullptr) {
    throw SystemError("no memory for a tensor " + to_string(spec) + " of " + std::to_string(size) + " bytes");
  }
  void* start = block;
  std::size_t space = padded;
  std::align(kAlignment, size + 1, start, space);
  data_ = std::shared_ptr<void>(start, [block](void*) { std::free(block); });
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

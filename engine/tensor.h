// SPDX-License-Identifier: Apache-2.0
// Tensor: owned, dense, row-major memory with a shape and an element type. Copies share the memory (like a shared_ptr);
// clone() makes new memory. It is seen on the host; where a program on a CUDA device holds it as a state, what that
// program wrote is fetched when it is looked at here, and what is written here is sent before the program's next run.
// What a program computes lives in its arena, not in tensors: tensors hold parameters, data and results that outlive a
// run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>

#include "engine/storage.h"
#include "kernels/view.h"

namespace chiasm {

class Tensor {
 public:
  Tensor() = default;                 // no data, float32, shape []
  explicit Tensor(const Spec& spec);  // 64-byte aligned, filled with zeros. Throws SystemError when memory runs out.
  static Tensor zeros(DType dtype, const Shape& shape) { return Tensor(Spec{dtype, shape}); }
  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values);

  const Spec& spec() const { return spec_; }
  const Shape& shape() const { return spec_.shape; }
  DType dtype() const { return spec_.dtype; }
  std::int64_t elements() const { return spec_.shape.elements(); }
  explicit operator bool() const { return storage_ != nullptr; }

  View view() const { return View(storage_ ? storage_->for_reading() : nullptr, spec_); }
  MutableView view() { return MutableView(storage_ ? storage_->for_writing() : nullptr, spec_); }
  // REQUIRES: T is the C++ type of dtype().
  template <class T>
  std::span<const T> values() const {
    return {view().as<T>(), static_cast<std::size_t>(elements())};
  }
  template <class T>
  std::span<T> values() {
    return {view().as<T>(), static_cast<std::size_t>(elements())};
  }
  std::span<const std::byte> bytes() const;
  std::span<std::byte> bytes();

  Tensor clone() const;
  // The same memory read with another shape of as many elements. Throws ShapeError otherwise.
  Tensor reshaped(const Shape& shape) const;

  // For who keeps a copy on a device. REQUIRES: a tensor with data.
  Storage& storage() const { return *storage_; }

 private:
  Spec spec_;
  std::shared_ptr<Storage> storage_;
};

template <class T>
Tensor Tensor::of(const Shape& shape, std::span<const T> values) {
  if (shape.elements() != static_cast<std::int64_t>(values.size())) {
    throw ShapeError("shape " + to_string(shape) + " does not hold " + std::to_string(values.size()) + " values");
  }
  Tensor tensor(Spec{dtype_of<T>, shape});
  std::copy(values.begin(), values.end(), tensor.values<T>().begin());
  return tensor;
}

}  // namespace chiasm

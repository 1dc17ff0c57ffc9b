// SPDX-License-Identifier: Apache-2.0
// View and MutableView: borrowed tensor data. A view never owns and never outlives the storage it points into; kernels see
// tensors only through views.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "kernels/dtype.h"
#include "kernels/shape.h"

namespace chiasm {

// Element type and shape: everything about a tensor except its data.
struct Spec {
  DType dtype = DType::kFloat32;
  Shape shape;

  std::int64_t bytes() const { return shape.elements() * static_cast<std::int64_t>(size_of(dtype)); }
  bool operator==(const Spec&) const = default;
};

std::string to_string(const Spec& spec);  // "float32[2, 3]"

// Typed access by index, for the reference paths: `x(n, h, w, c)`.
template <class T, int Rank>
class Accessor {
 public:
  Accessor(T* data, const Strides& strides) : data_(data), strides_(strides) {}
  template <class... Index>
  T& operator()(Index... index) const {
    static_assert(sizeof...(Index) == Rank);
    std::int64_t offset = 0;
    int axis = 0;
    ((offset += static_cast<std::int64_t>(index) * strides_[axis++]), ...);
    return data_[offset];
  }

 private:
  T* data_;
  Strides strides_;
};

template <class Void>
class BasicView {
  template <class T>
  using Pointer = std::conditional_t<std::is_const_v<Void>, const T*, T*>;

 public:
  BasicView() = default;
  BasicView(Void* data, const Spec& spec) : data_(data), spec_(spec), strides_(spec.shape.row_major()) {}
  BasicView(Void* data, const Spec& spec, const Strides& strides)
      : data_(data), spec_(spec), strides_(strides) {}
  // A mutable view can be read.
  template <class Other>
    requires(std::is_const_v<Void> && std::is_same_v<Other, void>)
  BasicView(const BasicView<Other>& other)
      : data_(other.data()), spec_(other.spec()), strides_(other.strides()) {}

  Void* data() const { return data_; }
  const Spec& spec() const { return spec_; }
  const Shape& shape() const { return spec_.shape; }
  DType dtype() const { return spec_.dtype; }
  const Strides& strides() const { return strides_; }
  std::int64_t elements() const { return spec_.shape.elements(); }

  // REQUIRES: T is the C++ type of dtype().
  template <class T>
  Pointer<T> as() const {
    assert(dtype_of<T> == spec_.dtype);
    return static_cast<Pointer<T>>(data_);
  }
  // REQUIRES: T is the C++ type of dtype(), Rank is the rank.
  template <class T, int Rank>
  auto access() const {
    assert(Rank == spec_.shape.rank());
    return Accessor<std::remove_pointer_t<Pointer<T>>, Rank>(as<T>(), strides_);
  }

  // Whether elements lie one after the other in row-major order.
  bool dense() const {
    std::int64_t step = 1;
    for (int axis = spec_.shape.rank() - 1; axis >= 0; --axis) {
      if (spec_.shape[axis] != 1 && strides_[axis] != step) return false;
      step *= spec_.shape[axis];
    }
    return true;
  }

 private:
  Void* data_ = nullptr;
  Spec spec_;
  Strides strides_{};
};

using View = BasicView<const void>;
using MutableView = BasicView<void>;

// `view` read as `shape`, with stride zero along broadcast axes. REQUIRES: broadcasts_to(view.shape(), shape).
View broadcast_view(const View& view, const Shape& shape);

// Calls body(offsets...) for every index of `shape` in row-major order; offsets are element offsets into each strided tensor.
template <class Body, class... S>
void for_each_offset(const Shape& shape, Body&& body, const S&... strides) {
  constexpr int kTensors = sizeof...(S);
  const std::int64_t count = shape.elements();
  const std::array<const Strides*, kTensors> step{&strides...};
  std::array<std::int64_t, kMaxRank> index{};
  std::array<std::int64_t, kTensors> offset{};
  for (std::int64_t i = 0; i < count; ++i) {
    [&]<std::size_t... K>(std::index_sequence<K...>) { body(offset[K]...); }
    (std::make_index_sequence<kTensors>{});
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      if (++index[axis] < shape[axis]) {
        for (int k = 0; k < kTensors; ++k) offset[k] += (*step[k])[axis];
        break;
      }
      for (int k = 0; k < kTensors; ++k) offset[k] -= (*step[k])[axis] * (shape[axis] - 1);
      index[axis] = 0;
    }
  }
}

}  // namespace chiasm

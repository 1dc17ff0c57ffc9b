// SPDX-License-Identifier: Apache-2.0
// Element types, and the one place where a run-time type becomes a C++ type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kernels/error.h"

namespace chiasm {

enum class DType : std::uint8_t { kFloat32, kFloat64, kInt32, kUInt8 };

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kFloat64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::kUInt8;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::kFloat32:
    case DType::kInt32: return 4;
    case DType::kFloat64: return 8;
    case DType::kUInt8: return 1;
  }
  return 0;
}

constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::kFloat32: return "float32";
    case DType::kFloat64: return "float64";
    case DType::kInt32: return "int32";
    case DType::kUInt8: return "uint8";
  }
  return "?";
}

constexpr bool is_floating(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat64;
}

// Calls f.template operator()<T>() with T = float or double.
template <class F>
decltype(auto) visit_floating(DType type, F&& f) {
  switch (type) {
    case DType::kFloat32: return f.template operator()<float>();
    case DType::kFloat64: return f.template operator()<double>();
    default: throw ShapeError("a floating-point tensor is needed, found " + std::string(name_of(type)));
  }
}

// Calls f.template operator()<T>() with the C++ type of any element type.
template <class F>
decltype(auto) visit_any(DType type, F&& f) {
  switch (type) {
    case DType::kInt32: return f.template operator()<std::int32_t>();
    case DType::kUInt8: return f.template operator()<std::uint8_t>();
    default: return visit_floating(type, static_cast<F&&>(f));
  }
}

}  // namespace chiasm

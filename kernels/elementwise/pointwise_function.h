// SPDX-License-Identifier: Apache-2.0
// PointwiseFunction: an element-wise op as a value that other code can run on short dense pieces of memory. Ops offer
// it (Map, its gradients, AddN); FusedPointwise chains them. Each call is a loop of its own, so nothing is contracted
// across functions, and an element has the bits that the op itself would have given it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "kernels/host_device.h"

namespace chiasm {

struct PointwiseFunction {
  static constexpr int kMaxArguments = 5;  // three inputs, the output and its gradient
  static constexpr std::size_t kMaxParameterBytes = 16;

  // y[i] = f(x[0][i], x[1][i], ...) for i in [0, count). y may be any of x, and may not overlap them otherwise.
  template <class T>
  using Run = void (*)(const std::byte* parameters, const T* const* x, T* y, std::int64_t count);

  std::string_view name;
  int inputs = 0;         // of the op
  bool folds = false;     // two inputs, and the op takes any number: f(f(f(a, b), c), d)
  bool gradient = false;  // of another op
  bool cheap = false;     // costs less to compute again than to read from memory
  // Argument k of `run` is input reads[k] of the op. Arguments that the function ignores are given input 0.
  int arguments = 0;
  std::array<std::int8_t, kMaxArguments> reads{};
  alignas(8) std::array<std::byte, kMaxParameterBytes> parameters{};
  // The FunctionCode of functor_list.h: what `run` computes, for devices that cannot call it.
  std::uint8_t code = 0;
  Run<float> run_float = nullptr;
  Run<double> run_double = nullptr;

  bool operator==(const PointwiseFunction&) const = default;

  template <class T>
  void run(const T* const* x, T* y, std::int64_t count) const {
    if constexpr (std::is_same_v<T, double>) {
      run_double(parameters.data(), x, y, count);
    } else {
      run_float(parameters.data(), x, y, count);
    }
  }

  // Functors are kept by value, as bytes.
  template <class F>
  void keep(const F& functor) {
    static_assert(sizeof(F) <= kMaxParameterBytes && std::is_trivially_copyable_v<F>);
    // The one byte of an empty struct is indeterminate and would spoil the comparison.
    if constexpr (!std::is_empty_v<F>) std::memcpy(parameters.data(), &functor, sizeof(F));
  }
  template <class F>
  CHIASM_HOST_DEVICE static F kept(const std::byte* parameters) {
    F functor;
    if constexpr (!std::is_empty_v<F>) std::memcpy(&functor, parameters, sizeof(F));
    return functor;
  }
};

}  // namespace chiasm

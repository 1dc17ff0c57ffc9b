// SPDX-License-Identifier: Apache-2.0
// The loops behind a PointwiseFunction, made from a functor of functors.h. Included where functors are instantiated.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "kernels/elementwise/functor_list.h"
#include "kernels/elementwise/pointwise_function.h"
#include "kernels/op.h"
#include "kernels/simd.h"

namespace chiasm {
namespace detail {

// float64 is compiled for the lowest instruction set, like the reference path of Map: a wider one contracts a product
// and a sum into one rounding, which would change bits.
template <std::size_t Count, class T, class F>
void pointwise_loop(const T* const* x, T* y, std::int64_t count, const F& f) {
  const auto loop = [&]() CHIASM_INLINE_LAMBDA {
    [&]<std::size_t... K>(std::index_sequence<K...>) CHIASM_INLINE_LAMBDA {
      const std::array<const T*, Count> v{x[K]...};
#pragma GCC ivdep
      for (std::int64_t i = 0; i < count; ++i) y[i] = f(v[K][i]...);
    }
    (std::make_index_sequence<Count>{});
  };
  if constexpr (std::is_same_v<T, double>) {
    loop();
  } else {
    with_widest_isa(loop);
  }
}

template <class F, class T>
void pointwise_value(const std::byte* parameters, const T* const* x, T* y, std::int64_t count) {
  const F f = PointwiseFunction::kept<F>(parameters);
  pointwise_loop<F::kArity>(x, y, count, [f](auto... v) CHIASM_INLINE_LAMBDA { return f.value(v...); });
}

// Arguments: the inputs, the output, dy.
template <class F, int I, class T>
void pointwise_gradient(const std::byte* parameters, const T* const* x, T* y, std::int64_t count) {
  const F f = PointwiseFunction::kept<F>(parameters);
  pointwise_loop<F::kArity + 2>(x, y, count, [f](auto... arguments) CHIASM_INLINE_LAMBDA {
    const std::array<T, sizeof...(arguments)> v{arguments...};
    return [&]<std::size_t... K>(std::index_sequence<K...>) CHIASM_INLINE_LAMBDA {
      return v[F::kArity + 1] * f.template derivative<I>(v[K]...);
    }
    (std::make_index_sequence<F::kArity + 1>{});
  });
}

template <class F>
constexpr bool is_cheap() {
  if constexpr (requires { F::kCheap; }) return F::kCheap;
  return false;
}

}  // namespace detail

// f.value as a function of the inputs.
template <class F>
PointwiseFunction pointwise_value(const F& f) {
  PointwiseFunction function{.name = F::kName, .inputs = F::kArity, .cheap = detail::is_cheap<F>()};
  function.arguments = F::kArity;
  for (int k = 0; k < F::kArity; ++k) function.reads[k] = static_cast<std::int8_t>(k);
  function.keep(f);
  function.code = value_code<F>;
  function.run_float = &detail::pointwise_value<F, float>;
  function.run_double = &detail::pointwise_value<F, double>;
  return function;
}

// dy times the derivative by input I, as a function of dy and what F::gradient(I) lists, in that order.
template <int I, class F>
PointwiseFunction pointwise_gradient(const F& f) {
  const GradientRule rule = F::gradient(I);
  PointwiseFunction function{.name = F::kName, .inputs = 1};
  function.arguments = F::kArity + 2;
  for (int input : rule.inputs) function.reads[input] = static_cast<std::int8_t>(function.inputs++);
  if (!rule.outputs.empty()) function.reads[F::kArity] = static_cast<std::int8_t>(function.inputs++);
  function.keep(f);
  function.code = derivative_code<F, I>;
  function.run_float = &detail::pointwise_gradient<F, I, float>;
  function.run_double = &detail::pointwise_gradient<F, I, double>;
  return function;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Every functor of functors.h, once: a new function is one struct there and one line here. What is compiled for each of
// them follows from this list: Map<F> on each device, and the functions that a FusedPointwise program may call.
#pragma once

#include <cstdint>

#include "kernels/elementwise/functors.h"

// X(F) for each functor F.
#define CHIASM_FOR_EACH_FUNCTOR(X) \
  X(Add)                           \
  X(Subtract)                      \
  X(Multiply)                      \
  X(Divide)                        \
  X(Negate)                        \
  X(Affine)                        \
  X(Exp)                           \
  X(Log)                           \
  X(Square)                        \
  X(Sqrt)                          \
  X(Abs)                           \
  X(Sign)                          \
  X(Sigmoid)                       \
  X(Tanh)                          \
  X(Relu)                          \
  X(Elu)                           \
  X(Softplus)                      \
  X(Clip)                          \
  X(Select)

namespace chiasm {

// A number for each function that a functor has: its value, and its derivative by each of at most three inputs times
// dy. It tells devices, which cannot follow a pointer to a function of the host, what to compute.
using FunctionCode = std::uint8_t;

enum class FunctorPlace : int {
#define CHIASM_PLACE(F) k##F,
  CHIASM_FOR_EACH_FUNCTOR(CHIASM_PLACE)
#undef CHIASM_PLACE
      kCount
};
inline constexpr int kFunctionsPerFunctor = 4;
static_assert(static_cast<int>(FunctorPlace::kCount) * kFunctionsPerFunctor < 250, "FunctionCode is too small");

namespace detail {
template <class F>
struct PlaceOf;
#define CHIASM_PLACE(F)                                       \
  template <>                                                 \
  struct PlaceOf<F> {                                         \
    static constexpr FunctorPlace value = FunctorPlace::k##F; \
  };
CHIASM_FOR_EACH_FUNCTOR(CHIASM_PLACE)
#undef CHIASM_PLACE
}  // namespace detail

template <class F>
inline constexpr FunctionCode value_code = static_cast<int>(detail::PlaceOf<F>::value) * kFunctionsPerFunctor;
template <class F, int I>
inline constexpr FunctionCode derivative_code = value_code<F> + 1 + I;

// What a code computes, as a function of an array of arguments: FunctorCall<F, 0> is the value, FunctorCall<F, 1 + I>
// dy times the derivative by input I, with the arguments of PointwiseFunction: the inputs, the output, dy.
template <class F, int kFunction>
struct FunctorCall {
  static constexpr int kArguments = kFunction == 0 ? F::kArity : F::kArity + 2;
  F functor;

  template <class T>
  CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA T operator()(const T (&v)[kArguments]) const {
    static_assert(F::kArity >= 1 && F::kArity <= 3);
    if constexpr (kFunction == 0) {
      if constexpr (F::kArity == 1) {
        return functor.value(v[0]);
      } else if constexpr (F::kArity == 2) {
        return functor.value(v[0], v[1]);
      } else {
        return functor.value(v[0], v[1], v[2]);
      }
    } else {
      if constexpr (F::kArity == 1) {
        return v[2] * functor.template derivative<kFunction - 1>(v[0], v[1]);
      } else if constexpr (F::kArity == 2) {
        return v[3] * functor.template derivative<kFunction - 1>(v[0], v[1], v[2]);
      } else {
        return v[4] * functor.template derivative<kFunction - 1>(v[0], v[1], v[2], v[3]);
      }
    }
  }
};

}  // namespace chiasm

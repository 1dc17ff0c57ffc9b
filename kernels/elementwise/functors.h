// SPDX-License-Identifier: Apache-2.0
// Element-wise functions, value and derivative side by side. A functor is a struct of parameters with
//   kName, kArity, gradient(input) (what the derivative reads: see GradientRule),
//   value(a, b, ...) and derivative<Input>(a, b, ..., y): d value / d input, times nothing else.
// Arguments that gradient(input) did not ask for are arbitrary. kCheap marks a value that costs less to compute again than
// to read from memory. A new function is one struct here and one line in functor_list.h.
// CUDA shares this code.
#pragma once

#include <cmath>
#include <string_view>

#include "kernels/elementwise/approximations.h"
#include "kernels/host_device.h"
#include "kernels/op.h"

namespace chiasm {

#define CHIASM_ELEMENTWISE CHIASM_HOST_DEVICE inline CHIASM_INLINE_LAMBDA

struct Add {
  static constexpr std::string_view kName = "add";
  static constexpr int kArity = 2;
  static constexpr bool kCheap = true;
  bool operator==(const Add&) const = default;
  static GradientRule gradient(int) { return GradientRule::pass_through(); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T a, T b) const { return a + b; }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T, T) const { return T(1); }
};

struct Subtract {
  static constexpr std::string_view kName = "subtract";
  static constexpr int kArity = 2;
  static constexpr bool kCheap = true;
  bool operator==(const Subtract&) const = default;
  static GradientRule gradient(int input) {
    return input == 0 ? GradientRule::pass_through() : GradientRule::kernel({});
  }
  template <class T>
  CHIASM_ELEMENTWISE T value(T a, T b) const { return a - b; }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T, T) const { return I == 0 ? T(1) : T(-1); }
};

struct Multiply {
  static constexpr std::string_view kName = "multiply";
  static constexpr int kArity = 2;
  static constexpr bool kCheap = true;
  bool operator==(const Multiply&) const = default;
  static GradientRule gradient(int input) { return GradientRule::kernel({1 - input}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T a, T b) const { return a * b; }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T a, T b, T) const { return I == 0 ? b : a; }
};

struct Divide {
  static constexpr std::string_view kName = "divide";
  static constexpr int kArity = 2;
  bool operator==(const Divide&) const = default;
  static GradientRule gradient(int input) {
    return input == 0 ? GradientRule::kernel({1}) : GradientRule::kernel({1}, {0});
  }
  template <class T>
  CHIASM_ELEMENTWISE T value(T a, T b) const { return a / b; }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T b, T y) const { return I == 0 ? T(1) / b : -y / b; }
};

struct Negate {
  static constexpr std::string_view kName = "negate";
  static constexpr int kArity = 1;
  static constexpr bool kCheap = true;
  bool operator==(const Negate&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return -x; }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T) const { return T(-1); }
};

// scale * x + shift
struct Affine {
  static constexpr std::string_view kName = "affine";
  static constexpr int kArity = 1;
  static constexpr bool kCheap = true;
  double scale = 1.0;
  double shift = 0.0;
  bool operator==(const Affine&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return static_cast<T>(scale) * x + static_cast<T>(shift); }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T) const { return static_cast<T>(scale); }
};

struct Exp {
  static constexpr std::string_view kName = "exp";
  static constexpr int kArity = 1;
  bool operator==(const Exp&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({}, {0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return approx::exp(x); }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T y) const { return y; }
};

struct Log {
  static constexpr std::string_view kName = "log";
  static constexpr int kArity = 1;
  bool operator==(const Log&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return std::log(x); }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T x, T) const { return T(1) / x; }
};

struct Square {
  static constexpr std::string_view kName = "square";
  static constexpr int kArity = 1;
  bool operator==(const Square&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return x * x; }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T x, T) const { return T(2) * x; }
};

struct Sqrt {
  static constexpr std::string_view kName = "sqrt";
  static constexpr int kArity = 1;
  bool operator==(const Sqrt&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({}, {0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return std::sqrt(x); }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T y) const { return T(0.5) / y; }
};

// The derivative at 0 is taken as 0.
struct Abs {
  static constexpr std::string_view kName = "abs";
  static constexpr int kArity = 1;
  bool operator==(const Abs&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return std::fabs(x); }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T x, T) const { return x > T(0) ? T(1) : (x < T(0) ? T(-1) : T(0)); }
};

// -1, 0 or 1; NaN stays NaN. No gradient flows through it.
struct Sign {
  static constexpr std::string_view kName = "sign";
  static constexpr int kArity = 1;
  bool operator==(const Sign&) const = default;
  static GradientRule gradient(int) { return GradientRule::none(); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return x > T(0) ? T(1) : (x < T(0) ? T(-1) : x); }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T) const { return T(0); }
};

struct Sigmoid {
  static constexpr std::string_view kName = "sigmoid";
  static constexpr int kArity = 1;
  bool operator==(const Sigmoid&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({}, {0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return approx::sigmoid(x); }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T y) const { return y * (T(1) - y); }
};

struct Tanh {
  static constexpr std::string_view kName = "tanh";
  static constexpr int kArity = 1;
  bool operator==(const Tanh&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({}, {0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return approx::tanh(x); }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T y) const { return T(1) - y * y; }
};

// max(x, 0); the derivative at 0 is 0. NaN stays NaN.
struct Relu {
  static constexpr std::string_view kName = "relu";
  static constexpr int kArity = 1;
  bool operator==(const Relu&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({}, {0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const { return x < T(0) ? T(0) : x; }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T y) const { return y > T(0) ? T(1) : T(0); }
};

// x for x > 0, else e^x - 1.
struct Elu {
  static constexpr std::string_view kName = "elu";
  static constexpr int kArity = 1;
  bool operator==(const Elu&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({}, {0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const {
    const T below = approx::expm1(x);
    return x > T(0) ? x : below;
  }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T, T y) const { return y > T(0) ? T(1) : y + T(1); }
};

// log(1 + e^x)
struct Softplus {
  static constexpr std::string_view kName = "softplus";
  static constexpr int kArity = 1;
  bool operator==(const Softplus&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const {
    return (x > T(0) ? x : T(0)) + std::log1p(approx::exp(-std::fabs(x)));
  }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T x, T) const { return approx::sigmoid(x); }
};

// x limited to [low, high]; the derivative is 1 inside, ends included. NaN stays NaN.
struct Clip {
  static constexpr std::string_view kName = "clip";
  static constexpr int kArity = 1;
  double low = 0.0;
  double high = 1.0;
  bool operator==(const Clip&) const = default;
  static GradientRule gradient(int) { return GradientRule::kernel({0}); }
  template <class T>
  CHIASM_ELEMENTWISE T value(T x) const {
    const T limited = x < static_cast<T>(low) ? static_cast<T>(low) : x;
    return limited > static_cast<T>(high) ? static_cast<T>(high) : limited;
  }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T x, T) const {
    return x < static_cast<T>(low) || x > static_cast<T>(high) ? T(0) : T(1);
  }
};

// a where condition is not zero, else b. No gradient flows to the condition.
struct Select {
  static constexpr std::string_view kName = "select";
  static constexpr int kArity = 3;
  bool operator==(const Select&) const = default;
  static GradientRule gradient(int input) {
    return input == 0 ? GradientRule::none() : GradientRule::kernel({0});
  }
  template <class T>
  CHIASM_ELEMENTWISE T value(T condition, T a, T b) const { return condition != T(0) ? a : b; }
  template <int I, class T>
  CHIASM_ELEMENTWISE T derivative(T condition, T, T, T) const {
    return (condition != T(0)) == (I == 1) ? T(1) : T(0);
  }
};

#undef CHIASM_ELEMENTWISE

}  // namespace chiasm

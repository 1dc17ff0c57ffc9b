// SPDX-License-Identifier: Apache-2.0
// Every bound stated in approximations.h, over the whole range of float32 and at each instruction-set level in use.
#include "kernels/elementwise/approximations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace chiasm::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kLargest = std::numeric_limits<float>::max();

// Both signs of every 1009th magnitude from 0 to the largest float, and of every 101st from 2^-12 to 128, where the
// functions vary; and the values around which they change form.
std::vector<float> sweep() {
  std::vector<float> x;
  const auto add = [&](float from, float to, std::uint32_t step) {
    for (std::uint32_t bits = std::bit_cast<std::uint32_t>(from); bits <= std::bit_cast<std::uint32_t>(to);
         bits += step) {
      x.push_back(std::bit_cast<float>(bits));
      x.push_back(-x.back());
    }
  };
  add(0.0f, kLargest, 1009);
  add(0x1p-12f, 128.0f, 101);
  for (float edge : {0x1p-149f, 0x1p-126f, 0.34657359f, 10.0f, 86.64f, 87.3f, 88.0f, 88.722839f, 89.0f, kLargest}) {
    add(edge, edge, 1);
    add(std::nextafter(edge, 0.0f), std::nextafter(edge, 0.0f), 1);
  }
  return x;
}

// Distance in units of the last place of the float nearest to `expected`.
double ulps(float actual, double expected) {
  if (static_cast<double>(actual) == expected) return 0.0;
  const int exponent = std::max(std::ilogb(expected), -126);
  return std::fabs(static_cast<double>(actual) - expected) / std::ldexp(1.0, exponent - 23);
}

// Calls check(x, y) for y = approximation(x) over the sweep, by the baseline and by the widest instructions of this
// machine.
template <class Function, class Check>
void for_sweep(Function approximation, Check check) {
  static const std::vector<float> x = sweep();
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = approximation(x[i]);
  for (std::size_t i = 0; i < x.size(); ++i) check(x[i], y[i]);
  const float* from = x.data();
  float* to = y.data();
  const std::size_t count = x.size();
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::size_t i = 0; i < count; ++i) to[i] = approximation(from[i]);
  });
  for (std::size_t i = 0; i < x.size(); ++i) check(x[i], y[i]);
}

// The largest error and where it was; a NaN is the largest.
struct Worst {
  double ulp = 0.0;
  float x = 0.0f;
  void add(float at, float actual, double expected) {
    const double error = ulps(actual, expected);
    if (error <= ulp) return;
    ulp = error == error ? error : 1e300;
    x = at;
  }
};

constexpr auto kExp = [](float x) CHIASM_INLINE_LAMBDA { return approx::exp(x); };
constexpr auto kExpm1 = [](float x) CHIASM_INLINE_LAMBDA { return approx::expm1(x); };
constexpr auto kSigmoid = [](float x) CHIASM_INLINE_LAMBDA { return approx::sigmoid(x); };
constexpr auto kTanh = [](float x) CHIASM_INLINE_LAMBDA { return approx::tanh(x); };
constexpr auto kLog = [](float x) CHIASM_INLINE_LAMBDA { return approx::log(x); };
constexpr auto kLog1p = [](float x) CHIASM_INLINE_LAMBDA { return approx::log1p(x); };
constexpr auto kSoftplus = [](float x) CHIASM_INLINE_LAMBDA { return approx::softplus(x); };
constexpr auto kSinTurns = [](float x) CHIASM_INLINE_LAMBDA { return approx::sin_cos_turns(x).sin; };
constexpr auto kCosTurns = [](float x) CHIASM_INLINE_LAMBDA { return approx::sin_cos_turns(x).cos; };

TEST(Approximations, Exp) {
  Worst worst;
  std::size_t bad = 0;
  for_sweep(kExp, [&](float x, float y) {
    const double expected = std::exp(static_cast<double>(x));
    if (x > 88.73f) {
      bad += y != kInfinity;
    } else if (expected >= 0x1p-125 && expected <= static_cast<double>(kLargest)) {
      worst.add(x, y, expected);
    } else if (expected < 0x1p-125) {
      bad += !(y >= 0.0f && y <= 0x1p-125f);
    }
  });
  EXPECT_LE(worst.ulp, 2.0) << "at " << worst.x;
  EXPECT_EQ(bad, 0u);
  EXPECT_EQ(approx::exp(0.0f), 1.0f);
  EXPECT_EQ(approx::exp(-0.0f), 1.0f);
  EXPECT_EQ(approx::exp(-kInfinity), 0.0f);
  EXPECT_EQ(approx::exp(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(approx::exp(kNaN)));
}

TEST(Approximations, Expm1) {
  Worst worst;
  std::size_t bad = 0;
  for_sweep(kExpm1, [&](float x, float y) {
    const double expected = std::expm1(static_cast<double>(x));
    if (x > 88.73f) {
      bad += y != kInfinity;
    } else if (expected <= static_cast<double>(kLargest)) {
      worst.add(x, y, expected);
    }
  });
  EXPECT_LE(worst.ulp, 2.0) << "at " << worst.x;
  EXPECT_EQ(bad, 0u);
  EXPECT_EQ(approx::expm1(0.0f), 0.0f);
  EXPECT_EQ(approx::expm1(-kInfinity), -1.0f);
  EXPECT_EQ(approx::expm1(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(approx::expm1(kNaN)));
}

TEST(Approximations, Sigmoid) {
  Worst worst;
  std::size_t bad = 0;
  for_sweep(kSigmoid, [&](float x, float y) {
    const double e = std::exp(-std::fabs(static_cast<double>(x)));
    const double expected = x < 0.0f ? e / (1.0 + e) : 1.0 / (1.0 + e);
    if (x > -87.0f) {
      worst.add(x, y, expected);
    } else {
      bad += !(y >= 0.0f && y <= 1.7e-38f);
    }
  });
  EXPECT_LE(worst.ulp, 3.0) << "at " << worst.x;
  EXPECT_EQ(bad, 0u);
  EXPECT_EQ(approx::sigmoid(0.0f), 0.5f);
  EXPECT_EQ(approx::sigmoid(-kInfinity), 0.0f);
  EXPECT_EQ(approx::sigmoid(kInfinity), 1.0f);
  EXPECT_TRUE(std::isnan(approx::sigmoid(kNaN)));
}

TEST(Approximations, Tanh) {
  Worst worst;
  for_sweep(kTanh, [&](float x, float y) { worst.add(x, y, std::tanh(static_cast<double>(x))); });
  EXPECT_LE(worst.ulp, 3.0) << "at " << worst.x;
  EXPECT_TRUE(std::signbit(approx::tanh(-0.0f)));
  EXPECT_EQ(approx::tanh(-kInfinity), -1.0f);
  EXPECT_EQ(approx::tanh(kInfinity), 1.0f);
  EXPECT_TRUE(std::isnan(approx::tanh(kNaN)));
}

TEST(Approximations, Log) {
  Worst worst;
  for_sweep(kLog, [&](float x, float y) {
    if (x >= 0x1p-126f) worst.add(x, y, std::log(static_cast<double>(x)));
  });
  EXPECT_LE(worst.ulp, 2.0) << "at " << worst.x;
  EXPECT_EQ(approx::log(1.0f), 0.0f);
  // Where the exponent taken out changes, and the neighbours of 1, where nearly all digits cancel.
  for (float x : {0.70710677f, 0.70710683f, 0.99999994f, 1.0000001f, 1.4142135f, 1.4142137f}) {
    EXPECT_LE(ulps(approx::log(x), std::log(static_cast<double>(x))), 2.0) << x;
  }
}

TEST(Approximations, Log1p) {
  Worst worst, below;
  for_sweep(kLog1p, [&](float x, float y) {
    if (x >= -0.999f && x <= 0x1p120f) (x >= -0.25f ? worst : below).add(x, y, std::log1p(static_cast<double>(x)));
  });
  EXPECT_LE(worst.ulp, 3.0) << "at " << worst.x;
  EXPECT_LE(below.ulp, 4.0) << "at " << below.x;
}

TEST(Approximations, Softplus) {
  Worst worst;
  std::size_t bad = 0;
  for_sweep(kSoftplus, [&](float x, float y) {
    if (x > -86.0f) {
      worst.add(x, y, std::max(0.0, static_cast<double>(x)) + std::log1p(std::exp(-std::fabs(static_cast<double>(x)))));
    } else {
      bad += !(y >= 0.0f && y <= 0x1p-124f);
    }
  });
  EXPECT_LE(worst.ulp, 3.0) << "at " << worst.x;
  EXPECT_EQ(bad, 0u);
  EXPECT_EQ(approx::softplus(-kInfinity), 0.0f);
  EXPECT_EQ(approx::softplus(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(approx::softplus(kNaN)));
}

TEST(Approximations, SinCosOfTurns) {
  constexpr double kTurn = 6.283185307179586476925;
  Worst sin, cos;
  for_sweep(kSinTurns, [&](float x, float y) {
    // Below, 2 pi r is not a normal number.
    if (std::fabs(x) <= 0.125f && std::fabs(x) >= 0x1p-126f) sin.add(x, y, std::sin(kTurn * static_cast<double>(x)));
  });
  for_sweep(kCosTurns, [&](float x, float y) {
    if (std::fabs(x) <= 0.125f) cos.add(x, y, std::cos(kTurn * static_cast<double>(x)));
  });
  EXPECT_LE(sin.ulp, 2.0) << "at " << sin.x;
  EXPECT_LE(cos.ulp, 2.0) << "at " << cos.x;
}

}  // namespace
}  // namespace chiasm::test

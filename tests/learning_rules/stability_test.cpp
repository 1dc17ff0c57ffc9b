// SPDX-License-Identifier: Apache-2.0
// Section 10.1 of spec/learning_rules.md: growth of the two parts of a layer's weights, and how long steps may be. The
// gradients come from the engine.
#include "learning_rules/stability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "engine/ops.h"
#include "kernels/reduction/sum.h"
#include "kernels/vendor/lapack.h"
#include "learning_rules/primitives/primitives.h"
#include "tests/support/aligned_layer.h"
#include "tests/support/learning_run.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

constexpr double kExact = 1e-12;

PrimitiveCoefficients coefficients_of(const LearningRule& rule) { return coefficients_at(rule, 0.0, 1.0, 0.0); }

// The scalar layer y = w x, and the gradients that both weights take when each is the other's backward weight.
class ScalarLayer {
 public:
  ScalarLayer(const LearningRule& rule, double x) : layer_({.x = {1, 1}, .weight = {1, 1}}, rule) {
    layer_.set("x", {x});
  }
  std::array<double, 2> gradient(double w, double b) {
    const double of_b = one(w, b);
    return {one(b, w), of_b};
  }

 private:
  double one(double forward, double backward) {
    layer_.set("weight", {forward});
    layer_.set("weight_backward", {backward});
    return layer_.gradient()[0];
  }
  AlignedLayer layer_;
};

struct RateCase {
  const char* name;
  LearningRule rule;
  double x, symmetric, skew;
};

std::vector<RateCase> rate_cases() {
  const LearningRule sa = rule_with({{&kDecayPrimitive, 1.0}, {&kSelfPrimitive, 1.0}});
  const LearningRule aa = rule_with({{&kAmpPrimitive, 1.0}, {&kSparsePrimitive, 1.0}});
  const auto wm = [](double decay) { return rule_with({{&kAmpPrimitive, 1.0}, {&kDecayPrimitive, decay}}); };
  return {{"SA", sa, 1.5, 0.0, 2.0},
          {"AA", aa, 1.5, 0.0, 4.5},
          {"AA", aa, 0.5, 0.0, 0.5},
          {"WM grows", wm(0.5), 1.5, -1.75, 2.75},
          {"WM shrinks", wm(0.5), 0.5, 0.25, 0.75},
          {"WM neutral", wm(1.0), 1.0, 0.0, 2.0}};
}

TEST(Stability, RatesAreTheEigenvaluesOfTheFlow) {
  for (const RateCase& c : rate_cases()) {
    SCOPED_TRACE(c.name);
    const SymmetrisedRates rates = symmetrised_rates(coefficients_of(c.rule), c.x * c.x);
    EXPECT_NEAR(rates.symmetric(), c.symmetric, kExact);
    EXPECT_NEAR(rates.skew(), c.skew, kExact);
    // A of d theta/dt = -A theta: its columns are the gradients at (1, 0) and (0, 1).
    ScalarLayer layer(c.rule, c.x);
    const auto first = layer.gradient(1.0, 0.0), second = layer.gradient(0.0, 1.0);
    std::vector<double> a{first[0], second[0], first[1], second[1]};
    EXPECT_NEAR(a[0] + a[1], c.symmetric, kExact);  // A (1, 1) = symmetric (1, 1)
    EXPECT_NEAR(a[0] - a[1], c.skew, kExact);
    std::complex<double> eigenvalues[2];
    general_eigenvalues(2, a.data(), eigenvalues);
    EXPECT_NEAR(eigenvalues[0].real(), c.skew, kExact);
    EXPECT_NEAR(eigenvalues[1].real(), c.symmetric, kExact);
  }
}

// The flow of the engine's gradients, against exponentials.
TEST(Stability, PartsGoAsExponentials) {
  for (const RateCase& c : rate_cases()) {
    ScalarLayer layer(c.rule, c.x);
    double w = 0.7, b = -0.2;
    const double u0 = w + b, v0 = w - b;
    constexpr int kSteps = 1000;
    constexpr double kTime = 1.0, kStep = kTime / kSteps;
    for (int i = 0; i < kSteps;
         ++i) {  // Runge and Kutta's fourth order: an error of (rate kStep)^4 / 120, 1e-11 at most
      const auto g1 = layer.gradient(w, b);
      const auto g2 = layer.gradient(w - 0.5 * kStep * g1[0], b - 0.5 * kStep * g1[1]);
      const auto g3 = layer.gradient(w - 0.5 * kStep * g2[0], b - 0.5 * kStep * g2[1]);
      const auto g4 = layer.gradient(w - kStep * g3[0], b - kStep * g3[1]);
      w -= kStep / 6.0 * (g1[0] + 2.0 * g2[0] + 2.0 * g3[0] + g4[0]);
      b -= kStep / 6.0 * (g1[1] + 2.0 * g2[1] + 2.0 * g3[1] + g4[1]);
    }
    EXPECT_NEAR(w + b, u0 * std::exp(-c.symmetric * kTime), 1e-10) << c.name;
    EXPECT_NEAR(w - b, v0 * std::exp(-c.skew * kTime), 1e-10) << c.name;
  }
}

// `null` makes the rates depend on where the weights are, and ends growth.
TEST(Stability, NullRestrainsWhatTheWeightsShare) {
  const LearningRule ia = rule_with({{&kAmpPrimitive, 2.0}, {&kDecayPrimitive, 0.5}, {&kNullPrimitive, 0.8}});
  constexpr double kX = 1.3;
  ScalarLayer layer(ia, kX);
  for (const auto& [w, b] : {std::pair{0.7, 0.4}, std::pair{-0.9, 0.6}, std::pair{2.0, 1.5}}) {
    const auto g = layer.gradient(w, b);
    const SymmetrisedRates rates = symmetrised_rates(coefficients_of(ia), kX * kX, w * b);
    EXPECT_NEAR(g[0] + g[1], rates.symmetric() * (w + b), kExact);
    EXPECT_NEAR(g[0] - g[1], rates.skew() * (w - b), kExact);
  }
  EXPECT_LT(symmetrised_rates(coefficients_of(ia), kX * kX).symmetric(), 0.0);
  const double end = (2.0 * kX * kX - 0.5) / (0.8 * kX * kX);  // w b where drive and restraint are equal
  EXPECT_NEAR(symmetrised_rates(coefficients_of(ia), kX * kX, end).symmetric(), 0.0, kExact);
  const auto rest = layer.gradient(std::sqrt(end), std::sqrt(end));
  EXPECT_NEAR(rest[0], 0.0, kExact);
  EXPECT_NEAR(rest[1], 0.0, kExact);
}

// dB/dt = -lam B + C W^T, dW/dt = -lam W + B^T C, of C = s^2 I.
TEST(Stability, MatricesOfWhiteInputHaveTheRatesOfScalars) {
  const LearningRule rule = rule_with({{&kAmpPrimitive, 1.0}, {&kDecayPrimitive, 0.6}});
  constexpr double kS = 0.9;
  AlignedLayer layer({.x = {4, 4}, .weight = {4, 3}}, rule);
  std::vector<double> x(16, 0.0);
  for (std::size_t i = 0; i < 4; ++i) x[5 * i] = 2.0 * kS;  // mean x x^T = s^2 I
  layer.set("x", x);
  const std::vector<double> w = layer.get("weight"), b = layer.get("weight_backward"), of_b = layer.gradient();
  layer.set("weight", b);
  layer.set("weight_backward", w);
  const std::vector<double> of_w = layer.gradient();
  const SymmetrisedRates rates = symmetrised_rates(coefficients_of(rule), kS * kS);
  EXPECT_NEAR(rates.symmetric(), 0.6 - kS * kS, kExact);
  for (std::size_t i = 0; i < w.size(); ++i) {
    EXPECT_NEAR(of_w[i] + of_b[i], rates.symmetric() * (w[i] + b[i]), kExact);
    EXPECT_NEAR(of_w[i] - of_b[i], rates.skew() * (w[i] - b[i]), kExact);
  }
}

// What a rule adds up to, at a time of training.
TEST(Stability, CoefficientsAreSummedByPrimitive) {
  LearningRule rule = rule_with({{&kAmpPrimitive, 1.0}, {&kDecayPrimitive, 0.5}, {&kAmpPrimitive, 0.25}});
  rule.terms.push_back({&kNullPrimitive, {.value = 3.0, .start = 0.5}});
  rule.terms.push_back({&kDecayPrimitive, {.layer_l2 = true}});
  const PrimitiveCoefficients early = coefficients_at(rule, 1.0, 10.0, 0.125),
                              late = coefficients_at(rule, 6.0, 10.0, 0.0);
  EXPECT_EQ(early.amp, 1.25);
  EXPECT_EQ(early.decay, 0.625);
  EXPECT_EQ(early.null, 0.0);
  EXPECT_EQ(late.null, 3.0);
  EXPECT_EQ(late.decay, 0.5);
  EXPECT_EQ(early.self + early.sparse, 0.0);
  const PrimitiveCoefficients kp = coefficients_at(rule_of("kp").rule, 0.0, 1.0, 1e-4);
  EXPECT_EQ(kp.decay, 1e-4);
}

TEST(Stability, SaysWhatGrowsAndWhy) {
  const PrimitiveCoefficients wm{.amp = 1.0, .decay = 0.5};
  EXPECT_EQ(describe_rates(wm, 2.25), "its symmetric part grows at a rate of 1.75: amp 1 * x^2 2.25 against decay 0.5");
  EXPECT_EQ(describe_rates(wm, 0.25),
            "its symmetric part shrinks at a rate of 0.25: amp 1 * x^2 0.25 against decay 0.5");
  EXPECT_EQ(describe_rates({.amp = 1.0, .sparse = 1.0, .self = 0.5}, 1.0, 0.0),
            "its symmetric part grows at a rate of 0.5: amp 1 * x^2 1 + self 0.5 against sparse 1 * x^2 1");
  EXPECT_EQ(describe_rates({.amp = 1.0, .null = 0.5}, 2.0, 2.0),
            "its symmetric part keeps its size: amp 1 * x^2 2 against null 0.5 * x^2 2 * w b 2");
}

// Gradient descent on the backward weight of a frozen layer, in the program of a training step.
class FrozenLayer {
 public:
  static constexpr std::int64_t kBatch = 8, kIn = 5, kOut = 3;

  FrozenLayer(const LearningRule& rule, const Sgd& descent)
      : run_(
            [](const Scope& scope) {
              const Value x = scope.graph().input("x", Spec{scope.dtype(), {kBatch, kIn}});
              return scope.graph().apply(Sum{},
                                         {linear(x, scope.weight("weight", {kIn, kOut}, Initialiser::uniform(0.8)))});
            },
            learning_of(rule, descent)),
        inputs_{{"x", random_tensor(DType::kFloat64, {kBatch, kIn}, 5)}} {
    run_.graph(Phase::kAlignment);
  }

  void descend(double rate, int steps) {
    for (int i = 0; i < steps; ++i) run_.step(Phase::kAlignment, {.alignment = rate}, inputs_);
  }
  std::vector<double> w() { return run_.get("weight"); }
  std::vector<double> b() { return run_.get("weight_backward"); }
  void set_b(const std::vector<double>& b) { run_.set("weight_backward", b); }

  // C W^T, in the layout of the weight.
  std::vector<double> covariance_times(const std::vector<double>& m) {
    const std::vector<double> c = covariance_of(x(), kIn);
    std::vector<double> result(kIn * kOut, 0.0);
    for (std::int64_t i = 0; i < kIn; ++i) {
      for (std::int64_t o = 0; o < kOut; ++o) {
        for (std::int64_t j = 0; j < kIn; ++j) result[i * kOut + o] += c[i * kIn + j] * m[j * kOut + o];
      }
    }
    return result;
  }
  double input_eigenvalue() { return largest_eigenvalue(covariance_of(x(), kIn), kIn); }
  double output_eigenvalue() {
    const std::vector<double> in = x(), weight = w();
    std::vector<double> y(kBatch * kOut, 0.0);
    for (std::int64_t n = 0; n < kBatch; ++n) {
      for (std::int64_t o = 0; o < kOut; ++o) {
        for (std::int64_t i = 0; i < kIn; ++i) y[n * kOut + o] += in[n * kIn + i] * weight[i * kOut + o];
      }
    }
    return largest_eigenvalue(covariance_of(y, kOut), kOut);
  }

 private:
  static Learning learning_of(const LearningRule& rule, const Sgd& descent) {
    Learning learning{.rule = rule, .optimizer = {.rule = descent}};
    learning.phases.off_phase = PhasePlan::OffPhase::kFreeze;
    return learning;
  }
  std::vector<double> x() { return values_of(inputs_.at("x").view()); }
  static std::vector<double> covariance_of(const std::vector<double>& v, std::int64_t n) {
    std::vector<double> c(static_cast<std::size_t>(n * n), 0.0);
    for (std::int64_t k = 0; k < kBatch; ++k) {
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) c[i * n + j] += v[k * n + i] * v[k * n + j] / kBatch;
      }
    }
    return c;
  }
  static double largest_eigenvalue(std::vector<double> matrix, std::int64_t n) {
    std::vector<double> values(static_cast<std::size_t>(n));
    symmetric_eigen(n, matrix.data(), values.data());
    return values.back();
  }

  LearningRun run_;
  std::map<std::string, Tensor> inputs_;
};

TEST(Stability, TheMirrorsErrorShrinksByTheDecayOfEachStep) {
  constexpr double kAmp = 1.5, kDecay = 0.5;
  const LearningRule rule = rule_with({{&kAmpPrimitive, kAmp}, {&kDecayPrimitive, kDecay}});
  for (const double rate : {0.1, 1.0, 3.8, 4.0, 4.2}) {  // the last two: 1 - rate * decay is -1 and -1.1
    FrozenLayer layer(rule, {});
    std::vector<double> fixed = layer.covariance_times(layer.w());
    for (double& v : fixed) v *= kAmp / kDecay;
    std::vector<double> expected = layer.b();
    double scale = 0.0;
    for (std::size_t i = 0; i < fixed.size(); ++i) {
      expected[i] = fixed[i] + std::pow(1.0 - rate * kDecay, 20) * (expected[i] - fixed[i]);
      scale = std::max(scale, std::fabs(expected[i]));
    }
    layer.descend(rate, 20);
    EXPECT_LT(largest_difference(layer.b(), expected), kExact * scale) << rate;
    const double bound = largest_stable_rate(largest_curvature(coefficients_of(rule), 1.0, 1.0));
    EXPECT_EQ(bound, 4.0);
    const double error = largest_difference(layer.b(), fixed);
    FrozenLayer start(rule, {});
    EXPECT_EQ(error > 1.0001 * largest_difference(start.b(), fixed), rate > bound) << rate;
  }
}

// On either side of the bound, with a start that is off in every direction.
void expect_bound(const LearningRule& rule, const Sgd& descent) {
  FrozenLayer layer(rule, descent);
  const double curvature =
      largest_curvature(coefficients_of(rule), layer.input_eigenvalue(), layer.output_eigenvalue());
  const double bound = largest_stable_rate(curvature, descent);
  const std::vector<double> start = layer.b();
  const auto size_after = [&](double rate, int steps) {
    FrozenLayer fresh(rule, descent);
    fresh.descend(rate, steps);
    return largest(fresh.b());
  };
  // 1% beyond, the fastest error grows by 1.02 per step without momentum, by 1.01 with heavy momentum: 1.01^2000 is
  // 4e8. 1% below it shrinks as fast, and nothing has grown.
  EXPECT_GT(size_after(1.01 * bound, 2000), 1e4 * largest(start));
  EXPECT_LT(size_after(0.99 * bound, 2000), 10.0 * largest(start));
  EXPECT_LT(std::fabs(size_after(0.99 * bound, 4000) - size_after(0.99 * bound, 4001)), 1e-6);
}

TEST(Stability, LongestStepsOfEachRule) {
  const std::vector<std::pair<const char*, LearningRule>> rules{
      {"AA", rule_with({{&kAmpPrimitive, 1.0}, {&kSparsePrimitive, 1.0}})},
      {"IA", rule_with({{&kAmpPrimitive, 1.0}, {&kDecayPrimitive, 0.5}, {&kNullPrimitive, 2.0}})},
      {"SA", rule_with({{&kDecayPrimitive, 1.0}, {&kSelfPrimitive, 1.0}})},
      {"all", rule_with({{&kAmpPrimitive, 1.0},
                         {&kDecayPrimitive, 0.5},
                         {&kNullPrimitive, 0.7},
                         {&kSparsePrimitive, 0.4},
                         {&kSelfPrimitive, 0.3}})}};
  for (const auto& [name, rule] : rules) {
    for (const Sgd& descent : {Sgd{}, Sgd{.momentum = 0.5}, Sgd{.momentum = 0.5, .nesterov = true}}) {
      SCOPED_TRACE(std::string(name) + (descent.momentum > 0.0 ? " momentum" : "") +
                   (descent.nesterov ? " nesterov" : ""));
      expect_bound(rule, descent);
    }
  }
  EXPECT_EQ(largest_stable_rate(0.0), std::numeric_limits<double>::infinity());
}

TEST(Stability, TheMirrorsLossHasItsLowestValueAtTheFixedPoint) {
  constexpr double kAmp = 1.5, kDecay = 0.5;
  AlignedLayer layer({.x = {6, 5}, .weight = {5, 3}}, rule_with({{&kAmpPrimitive, kAmp}, {&kDecayPrimitive, kDecay}}));
  layer.set("weight_backward", std::vector<double>(15, 0.0));
  std::vector<double> fixed = layer.gradient();  // -amp C W^T
  double norm = 0.0;
  for (double& v : fixed) {
    norm += v * v / (kAmp * kAmp);
    v /= -kDecay;
  }
  layer.set("weight_backward", fixed);
  const double lowest = layer.value();
  EXPECT_NEAR(lowest, -kAmp * kAmp / (2.0 * kDecay) * norm, kExact);
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    std::vector<double> off = fixed;
    off[i] += 0.1;
    layer.set("weight_backward", off);
    EXPECT_NEAR(layer.value() - lowest, 0.5 * kDecay * 0.01, kExact);
  }
}

}  // namespace
}  // namespace chiasm::test

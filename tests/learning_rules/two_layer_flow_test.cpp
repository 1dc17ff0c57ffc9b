// SPDX-License-Identifier: Apache-2.0
// Section 10.2 of spec/learning_rules.md: the flow of two scalar layers, its fixed points and where it ends; and the
// same network in the engine.
#include "learning_rules/two_layer_flow.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops.h"
#include "kernels/loss/squared_error.h"
#include "kernels/reduction/mean.h"
#include "learning_rules/primitives/primitives.h"
#include "tests/support/aligned_layer.h"
#include "tests/support/learning_run.h"

namespace chiasm::test {
namespace {

using Rule = TwoLayerFlow::Rule;
using State = TwoLayerFlow::State;
constexpr Rule kRules[] = {Rule::kBackprop, Rule::kFeedbackAlignment, Rule::kSymmetricAlignment};
constexpr double kS = 2.0, kC = 3.0;
constexpr double kExact = 1e-12;
// Eight decimals.
constexpr double kPrinted = 5e-9;

std::vector<double> list(const State& s) { return {s.w1, s.w2, s.b}; }
State moved(const State& s, const State& velocity, double time) {
  return {s.w1 + time * velocity.w1, s.w2 + time * velocity.w2, s.b + time * velocity.b};
}

// Runge and Kutta's fourth order.
State flow_for(const TwoLayerFlow& flow, State s, double time, double step) {
  for (int i = 0; i < std::lround(time / step); ++i) {
    const State k1 = flow.velocity(s), k2 = flow.velocity(moved(s, k1, step / 2));
    const State k3 = flow.velocity(moved(s, k2, step / 2)), k4 = flow.velocity(moved(s, k3, step));
    s = moved(s,
              {k1.w1 + 2 * k2.w1 + 2 * k3.w1 + k4.w1, k1.w2 + 2 * k2.w2 + 2 * k3.w2 + k4.w2,
               k1.b + 2 * k2.b + 2 * k3.b + k4.b},
              step / 6);
  }
  return s;
}

TEST(TwoLayerFlow, FixedPoints) {
  const auto speed = [](Rule rule, const State& s) { return largest(list(TwoLayerFlow(rule, kS, kC).velocity(s))); };
  for (const Rule rule : kRules) {
    EXPECT_LT(speed(rule, {1.2, 1.25, 1.25}), kExact);  // w1 w2 = c / s
    EXPECT_LT(speed(rule, {-0.75, -2.0, -2.0}), kExact);
    EXPECT_GT(speed(rule, {1.2, 1.0, 1.0}), 0.1);
    EXPECT_EQ(speed(rule, {0.0, 0.0, 0.0}), 0.0);
  }
  // Off the plane b = w2 the hyperbola is fixed under feedback alignment only, as is w1 = b = 0.
  EXPECT_LT(speed(Rule::kFeedbackAlignment, {1.2, 1.25, -2.0}), kExact);
  EXPECT_GT(speed(Rule::kSymmetricAlignment, {1.2, 1.25, -2.0}), 0.1);
  EXPECT_EQ(speed(Rule::kFeedbackAlignment, {0.0, 0.8, 0.0}), 0.0);
  EXPECT_GT(speed(Rule::kSymmetricAlignment, {0.0, 0.8, 0.0}), 0.1);
}

TEST(TwoLayerFlow, StabilityIsTheSlopeOfTheFlow) {
  constexpr double kStep = 1e-5;
  for (const Rule rule : kRules) {
    const TwoLayerFlow flow(rule, kS, kC);
    // Backpropagation is a flow of two numbers.
    const std::size_t size = rule == Rule::kBackprop ? 2 : 3;
    for (const State& s : {State{0.4, -0.7, 0.3}, State{1.2, 1.25, 1.25}}) {
      const TwoLayerFlow::Matrix h = flow.stability(s);
      for (std::size_t j = 0; j < size; ++j) {
        const State axis{j == 0 ? 1.0 : 0.0, j == 1 ? 1.0 : 0.0, j == 2 ? 1.0 : 0.0};
        const std::vector<double> above = list(flow.velocity(moved(s, axis, kStep)));
        const std::vector<double> below = list(flow.velocity(moved(s, axis, -kStep)));
        for (std::size_t i = 0; i < size; ++i) {
          // A cubic: the third derivative, at most 4 s, enters with 1e-10 / 6; rounding with 1e-16 / 1e-5.
          EXPECT_NEAR(h[i][j], -(above[i] - below[i]) / (2.0 * kStep), 1e-9) << i << " " << j;
        }
      }
    }
  }
}

void expect_eigenvalues(Rule rule, const State& s, std::vector<std::complex<double>> expected, double tolerance) {
  const auto values = TwoLayerFlow(rule, kS, kC).eigenvalues(s);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_LT(std::abs(values[i] - expected[i]), tolerance) << i;
}

TEST(TwoLayerFlow, EigenvaluesOnTheHyperbola) {
  EXPECT_NEAR(kS * (1.2 * 1.2 + 1.25 * 1.25), 6.005, kExact);
  expect_eigenvalues(Rule::kBackprop, {1.2, 1.25, 0.0}, {6.005, 0.0, 0.0}, kExact);
  expect_eigenvalues(Rule::kSymmetricAlignment, {1.2, 1.25, 1.25}, {6.005, 1.0, 0.0}, kExact);
  expect_eigenvalues(Rule::kFeedbackAlignment, {1.2, 1.25, 0.7}, {4.63, 0.0, 0.0}, kExact);
  expect_eigenvalues(Rule::kFeedbackAlignment, {1.2, 1.25, -2.0}, {0.0, 0.0, -2.12}, kExact);
  for (const double w1 : {-2.0, -0.5, 0.8, 3.0}) {
    const double w2 = kC / kS / w1, both = kS * (w1 * w1 + w2 * w2);
    expect_eigenvalues(Rule::kBackprop, {w1, w2, 0.0}, {both, 0.0, 0.0}, kExact * both);
    expect_eigenvalues(Rule::kSymmetricAlignment, {w1, w2, w2}, {both, 1.0, 0.0}, kExact * both);
  }
}

TEST(TwoLayerFlow, EigenvaluesAtTheOrigin) {
  expect_eigenvalues(Rule::kBackprop, {}, {kC, -kC, 0.0}, kExact);  // a saddle
  // Of the flow: 1.79458049 and -1.39729025 +- 1.75005132i; H has the opposite sign.
  expect_eigenvalues(Rule::kSymmetricAlignment, {},
                     {{1.39729025, 1.75005132}, {1.39729025, -1.75005132}, {-1.79458049, 0.0}}, 2 * kPrinted);
  for (const std::complex<double> value : TwoLayerFlow(Rule::kSymmetricAlignment, kS, kC).eigenvalues({})) {
    const std::complex<double> l = -value;
    EXPECT_LT(std::abs(l * l * l + l * l - kC * kC), 1e-11);
  }
  // A triple zero that the matrix has no three eigenvectors for: rounding moves it by the cube root of its error.
  expect_eigenvalues(Rule::kFeedbackAlignment, {0.0, 0.8, 0.0}, {0.0, 0.0, 0.0}, 1e-5);
}

TEST(TwoLayerFlow, TrajectoriesEndWhereTheyShould) {
  struct Case {
    Rule rule;
    State start, end;
  };
  for (const Case& c : {Case{Rule::kSymmetricAlignment, {0.3, 0.1, -0.5}, {-1.04767, -1.43175, -1.43175}},
                        Case{Rule::kFeedbackAlignment, {0.3, 0.1, -0.5}, {-1.20054, -1.24944, -0.5}},
                        Case{Rule::kBackprop, {0.3, 0.1, 0.1}, {1.24112, 1.20859, 1.20859}}}) {
    const TwoLayerFlow flow(c.rule, kS, kC);
    // The spec's numbers are those of Euler's method in steps of 0.001, whose error is some 5e-4.
    State euler = c.start;
    for (int i = 0; i < 60'000; ++i) euler = moved(euler, flow.velocity(euler), 1e-3);
    EXPECT_LT(largest_difference(list(euler), list(c.end)), 5.1e-6);  // five decimals
    const State end = flow_for(flow, c.start, 60.0, 0.01);
    EXPECT_LT(largest_difference(list(end), list(c.end)), 1e-3);
    EXPECT_LT(largest(list(flow.velocity(end))), 1e-9);
    EXPECT_NEAR(end.w1 * end.w2, kC / kS, 1e-9);
    EXPECT_LT(largest_difference(list(end), list(flow_for(flow, c.start, 60.0, 0.005))), 1e-8);
  }
  // Where the hyperbola meets w1^2 - w2^2 = 0.08.
  const State end = flow_for(TwoLayerFlow(Rule::kBackprop, kS, kC), {0.3, 0.1, 0.1}, 60.0, 0.01);
  EXPECT_NEAR(end.w1, std::sqrt(0.5 * (0.08 + std::sqrt(0.08 * 0.08 + 9.0))), 1e-8);
}

TEST(TwoLayerFlow, ConservedQuantities) {
  for (const Rule rule : {Rule::kBackprop, Rule::kFeedbackAlignment}) {
    const TwoLayerFlow flow(rule, kS, kC);
    State s{0.3, 0.1, rule == Rule::kBackprop ? 0.1 : -0.5};
    const double before = flow.conserved(s);
    for (int i = 0; i < 20; ++i) {
      s = flow_for(flow, s, 0.25, 0.001);
      EXPECT_NEAR(flow.conserved(s), before, 1e-11);  // fourth order in steps of 0.001
    }
    EXPECT_GT(std::fabs(s.w1 - 0.3), 0.5);
  }
}

// One step of gradient descent at rate eta moves the network of the engine by eta times the flow.
TEST(TwoLayerFlow, IsWhatTheEngineTrains) {
  // Mean x^2 is 2, mean x t is 3.
  const std::map<std::string, Tensor> inputs{
      {"x", Tensor::of<double>({2, 1}, std::vector<double>{1.0, std::sqrt(3.0)})},
      {"t", Tensor::of<double>({2, 1}, std::vector<double>{3.0, std::sqrt(3.0)})}};
  const auto network = [](const Scope& scope) {
    const Value x = scope.graph().input("x", Spec{scope.dtype(), {2, 1}});
    const Value t = scope.graph().input("t", Spec{scope.dtype(), {2, 1}});
    const Value h = linear(x, scope.weight("w1", {1, 1}, Initialiser::constant(0.0)));
    const Value y = linear(h, scope.weight("w2", {1, 1}, Initialiser::constant(0.0)));
    return affine(scope.graph().apply(Mean{}, {scope.graph().apply(SquaredError{}, {y, t})}), 0.5, 0.0);
  };
  for (const Rule rule : kRules) {
    Learning learning{.optimizer = {.rule = Sgd{}}};
    if (rule == Rule::kFeedbackAlignment) learning.rule = rule_of("fa").rule;
    if (rule == Rule::kSymmetricAlignment) {
      learning.rule = rule_with({{&kDecayPrimitive, 1.0}, {&kSelfPrimitive, 1.0}});
    }
    const TwoLayerFlow flow(rule, kS, kC);
    LearningRun run(network, learning, {.rule = Sgd{}});
    run.graph(Phase::kBoth);
    State s{0.3, 0.1, rule == Rule::kBackprop ? 0.1 : -0.5};
    run.set("w1", {s.w1});
    run.set("w2", {s.w2});
    if (rule != Rule::kBackprop) run.set("w2_backward", {s.b});
    constexpr double kRate = 0.02;
    for (int step = 0; step < 2000; ++step) {
      s = moved(s, flow.velocity(s), kRate);
      run.step(Phase::kBoth, {.task = kRate, .alignment = kRate}, inputs);
    }
    EXPECT_NEAR(run.get("w1")[0], s.w1, kExact);
    EXPECT_NEAR(run.get("w2")[0], s.w2, kExact);
    if (rule != Rule::kBackprop) {
      EXPECT_NEAR(run.get("w2_backward")[0], s.b, kExact);
    }
    EXPECT_NEAR(s.w1 * s.w2, kC / kS, 1e-9);  // and it learns
  }
}

}  // namespace
}  // namespace chiasm::test

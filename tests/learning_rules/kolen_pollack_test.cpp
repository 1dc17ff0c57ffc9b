// SPDX-License-Identifier: Apache-2.0
// Section 10.3 of spec/learning_rules.md: what forward and backward weights of Kolen-Pollack differ by shrinks by the
// same factor at every step, whatever the gradients are, since both take the same update.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/reduction/sum.h"
#include "tests/support/aligned_layer.h"
#include "tests/support/learning_run.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

constexpr double kL2 = 0.1;
constexpr double kRate = 0.1;

// Errors that have nothing to do with what the layer says.
Value network(const Scope& scope) {
  const Value x = scope.graph().input("x", Spec{scope.dtype(), {4, 6, 6, 2}});
  const Value h = conv2d(x, scope.weight("kernel", {3, 3, 2, 3}, Initialiser::uniform(0.6), kL2), {.stride = {2, 2}});
  const Value y = linear(reshape(h, {4, 27}), scope.weight("matrix", {27, 3}, Initialiser::uniform(0.6), kL2));
  return scope.graph().apply(Sum{}, {y * scope.graph().input("delta", y.spec())});
}

std::map<std::string, Tensor> inputs(unsigned step) {
  return {{"x", random_tensor(DType::kFloat64, {4, 6, 6, 2}, 2 * step)},
          {"delta", random_tensor(DType::kFloat64, {4, 3}, 2 * step + 1)}};
}

std::vector<double> difference(LearningRun& run, const std::string& layer) {
  std::vector<double> result = run.get(layer);
  const std::vector<double> b = run.get(backward_weight_name(layer));
  for (std::size_t i = 0; i < b.size(); ++i) result[i] -= b[i];
  return result;
}

std::vector<double> scaled(std::vector<double> values, double factor) {
  for (double& v : values) v *= factor;
  return values;
}

Learning kolen_pollack() { return {.rule = rule_of("kp").rule}; }

TEST(KolenPollack, DifferenceShrinksByTheDecayOfEachStep) {
  LearningRun run(network, kolen_pollack(), {.rule = Sgd{}});
  run.graph(Phase::kBoth);
  for (const char* layer : {"kernel", "matrix"}) ASSERT_GT(largest(difference(run, layer)), 0.3);
  const std::vector<double> kernel = difference(run, "kernel"), matrix = difference(run, "matrix");
  const std::vector<double> w = run.get("matrix");
  for (unsigned step = 0; step < 300; ++step) run.step(Phase::kBoth, {.task = kRate}, inputs(step));
  const double factor = std::pow(1.0 - kRate * kL2, 300);
  EXPECT_NEAR(factor, 0.0490409, 5e-8);
  EXPECT_LT(largest_difference(difference(run, "kernel"), scaled(kernel, factor)), 1e-12);
  EXPECT_LT(largest_difference(difference(run, "matrix"), scaled(matrix, factor)), 1e-12);
  EXPECT_GT(largest_difference(run.get("matrix"), w), 0.1);  // the task moved it
}

// d <- d - rate v, v <- momentum v + l2 d: the recursion of the difference alone.
TEST(KolenPollack, WithMomentumTheDifferenceIsThatOfDecayAlone) {
  // Random gradients of two layers in a row make each other grow; this slow they do not.
  constexpr double kSlow = 0.01;
  LearningRun run(network, kolen_pollack(), {.rule = Sgd{.momentum = 0.9}});
  run.graph(Phase::kBoth);
  std::vector<double> d = difference(run, "kernel"), v(d.size(), 0.0);
  for (unsigned step = 0; step < 100; ++step) {
    run.step(Phase::kBoth, {.task = kSlow}, inputs(step));
    for (std::size_t i = 0; i < d.size(); ++i) {
      v[i] = 0.9 * v[i] + kL2 * d[i];
      d[i] -= kSlow * v[i];
    }
  }
  EXPECT_LT(largest(run.get("kernel")), 1e3);
  EXPECT_LT(largest_difference(difference(run, "kernel"), d), 1e-12);
}

// Gradients of the task are limited before the L2 term is added (engine/optimizer.h), for both weights.
TEST(KolenPollack, ClippedGradientsAreTheSameForBoth) {
  for (const auto by : {GradientLimit::By::kValue, GradientLimit::By::kNorm, GradientLimit::By::kGlobalNorm}) {
    LearningRun run(network, kolen_pollack(), {.rule = Sgd{}, .clip = GradientLimit{.limit = 0.05, .by = by}});
    run.graph(Phase::kBoth);
    const std::vector<double> kernel = difference(run, "kernel");
    for (unsigned step = 0; step < 50; ++step) run.step(Phase::kBoth, {.task = kRate}, inputs(step));
    EXPECT_LT(largest_difference(difference(run, "kernel"), scaled(kernel, std::pow(1.0 - kRate * kL2, 50))), 1e-12);
  }
}

// Weight decay of the optimizer comes on top of a layer's own L2, for both weights; decoupled, beside it.
TEST(KolenPollack, WeightDecayOfTheOptimizerIsThatOfBoth) {
  for (const bool decoupled : {false, true}) {
    LearningRun run(network, kolen_pollack(), {.rule = Sgd{}, .weight_decay = 0.3, .decoupled = decoupled});
    run.graph(Phase::kBoth);
    const std::vector<double> kernel = difference(run, "kernel");
    for (unsigned step = 0; step < 50; ++step) run.step(Phase::kBoth, {.task = kRate}, inputs(step));
    const double factor = std::pow(1.0 - kRate * (kL2 + 0.3), 50);
    EXPECT_LT(largest_difference(difference(run, "kernel"), scaled(kernel, factor)), 1e-12) << decoupled;
  }
}

// Where other layers align in steps of their own, a backward weight that rides on the task coasts as its forward weight
// does: the difference moves on with its own velocity, the sum of the tied updates does not show.
TEST(KolenPollack, CoastsWithItsForwardWeight) {
  Learning learning = kolen_pollack();
  learning.placements = {{{"matrix"}, rule_of("sa").rule}};
  learning.phases = {.alternate = true, .off_phase = PhasePlan::OffPhase::kCoast};
  LearningRun run(network, learning, {.rule = Sgd{.momentum = 0.9}});
  run.graph(Phase::kTask);
  run.graph(Phase::kAlignment);
  std::vector<double> d = difference(run, "kernel"), v(d.size(), 0.0);
  for (unsigned step = 0; step < 20; ++step) {
    const Phase phase = learning.phases.at(step, 10);
    run.step(phase, {.task = 0.01, .alignment = 1e-3}, inputs(step));
    for (std::size_t i = 0; i < d.size(); ++i) {
      v[i] = 0.9 * v[i] + (phase == Phase::kTask ? kL2 * d[i] : 0.0);
      d[i] -= 0.01 * v[i];
    }
  }
  EXPECT_LT(largest_difference(difference(run, "kernel"), d), 1e-12);
}

}  // namespace
}  // namespace chiasm::test

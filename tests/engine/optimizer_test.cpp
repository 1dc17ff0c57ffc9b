// SPDX-License-Identifier: Apache-2.0
#include "engine/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops.h"
#include "engine/program.h"
#include "kernels/reduction/sum.h"
#include "tests/support/compare.h"

namespace chiasm::test {
namespace {

constexpr std::int64_t kSize = 20000;

// What a weight of zeros becomes with a constant gradient of one.
Tensor updated(const Update& update, bool with_gradient, double l2, int draw = 1) {
  Graph graph;
  Parameters parameters;
  const Parameter weight = parameters.declare(
      {.name = "w", .spec = {DType::kFloat64, {kSize}}, .initialiser = Initialiser::constant(2.0), .l2 = l2});
  append_update(graph, parameters, weight, with_gradient ? fill(graph, weight.spec, 1.0) : Value(), update);
  parameters.initialise(0);
  Program program(graph, {.threads = 1});
  program.bind_all(parameters.tensors());
  *program.input(update.learning_rate).as<double>() = 0.5;
  for (const char* counter : {"step", "draw"}) {
    if (graph.inputs().contains(counter)) *program.input(counter).as<std::int32_t>() = draw;
  }
  program.run();
  return parameters.tensors().at("w").clone();
}

TEST(AppendUpdate, WithoutAGradientCoasts) {
  // No gradient, and no L2 term: nothing moves a weight that has no momentum yet.
  EXPECT_EQ(updated({.optimizer = {.rule = Sgd{.momentum = 0.9}}}, false, 0.1).values<double>()[0], 2.0);
  EXPECT_DOUBLE_EQ(updated({.optimizer = {.rule = Sgd{.momentum = 0.9}}}, true, 0.1).values<double>()[0],
                   2.0 - 0.5 * (1.0 + 0.1 * 2.0));
}

TEST(AppendUpdate, TakesTheInputsThatItIsGiven) {
  EXPECT_DOUBLE_EQ(updated({.learning_rate = "another_rate"}, true, 0.0).values<double>()[0], 1.5);
}

// spec/learning_rules.md 7.5: the learning rate times noise of the given variance. Of 20000 numbers the mean is off by
// 0.007 standard deviations, the standard deviation by half a percent: five times that is allowed.
TEST(AppendUpdate, AddsNoiseOfTheLearningRateTimesItsDeviation) {
  for (const bool uniform : {false, true}) {
    const Update update{.noise = {.variance = 0.04, .uniform = uniform, .seed = 3}};
    const Tensor noisy = updated(update, true, 0.0);
    const Tensor again = updated(update, true, 0.0), later = updated(update, true, 0.0, 2);
    EXPECT_TRUE(bit_equal(noisy.view(), again.view()));
    EXPECT_FALSE(bit_equal(noisy.view(), later.view()));
    double sum = 0.0, squares = 0.0, largest = 0.0;
    for (double v : noisy.values<double>()) {
      const double noise = (v - 1.5) / 0.5;
      sum += noise;
      squares += noise * noise;
      largest = std::max(largest, std::fabs(noise));
    }
    EXPECT_NEAR(sum / kSize, 0.0, 0.2 * 0.035);
    EXPECT_NEAR(std::sqrt(squares / kSize), 0.2, 0.2 * 0.025);
    EXPECT_EQ(largest > 0.2 * std::sqrt(3.0) * (1 + 1e-12), !uniform);
  }
}

// A value in the middle of a graph, which no parameter leads to, has a gradient too.
TEST(Gradients, ReachValuesThatAreNotInputs) {
  Graph graph;
  const Value x = graph.input("x", Spec{DType::kFloat64, {2}});
  const Value middle = affine(x, 3.0, 0.0);
  const Value loss = graph.apply(Sum{}, {middle * middle});
  graph.output("gradient", gradients(loss, std::array{middle})[0]);
  Program program(graph, {.threads = 1});
  program.input("x").as<double>()[0] = 1.0;
  program.input("x").as<double>()[1] = -2.0;
  program.run();
  EXPECT_EQ(program.output("gradient").as<double>()[0], 6.0);
  EXPECT_EQ(program.output("gradient").as<double>()[1], -12.0);
}

}  // namespace
}  // namespace chiasm::test

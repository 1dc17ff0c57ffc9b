// SPDX-License-Identifier: Apache-2.0
#include "engine/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/ops.h"
#include "engine/program.h"
#include "kernels/reduction/sum.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"

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

// One step of `optimizer` on w, with the given gradient and learning rate.
std::vector<double> stepped(const Optimizer& optimizer, const std::vector<double>& w, const std::vector<double>& g,
                            double rate, int steps = 1) {
  Graph graph;
  Parameters parameters;
  const Spec spec{DType::kFloat64, {static_cast<std::int64_t>(w.size())}};
  const Parameter weight = parameters.declare({.name = "w", .spec = spec});
  append_update(graph, parameters, weight, graph.input("g", spec), {.optimizer = optimizer});
  parameters.initialise(0);
  std::ranges::copy(w, parameters.tensors().at("w").values<double>().begin());
  Program program(graph, {.threads = 1});
  program.bind_all(parameters.tensors());
  for (int i = 1; i <= steps; ++i) {
    std::ranges::copy(g, program.input("g").as<double>());
    *program.input("learning_rate").as<double>() = i == 1 ? rate : 0.0;
    if (graph.inputs().contains("step")) *program.input("step").as<std::int32_t>() = i;
    program.run();
  }
  const std::span<const double> result = parameters.tensors().at("w").values<double>();
  return {result.begin(), result.end()};
}

// spec/mouse_vision.md section 10, which prints p' to 1e-6: local = .004999975.
TEST(Lars, TakesTheStepOfTheMouseStudy) {
  const Optimizer lars{.rule = Lars{}, .weight_decay = 1e-6};
  const std::vector<double> p = stepped(lars, {3, 4}, {0.6, 0.8}, 4.8);
  const double local = 1e-3 * 5 / (1 + 1e-6 * 5);
  EXPECT_NEAR(local, 0.004999975, 5e-10);
  EXPECT_NEAR(p[0], 2.9856, 1e-6);
  EXPECT_NEAR(p[1], 3.9808, 1e-6);
  EXPECT_NEAR(p[0], 3 - local * 4.8 * (0.6 + 1e-6 * 3), 1e-15);
  EXPECT_NEAR(p[1], 4 - local * 4.8 * (0.8 + 1e-6 * 4), 1e-15);
}

TEST(Lars, WithoutLayersOrANormTakesThePlainStep) {
  EXPECT_DOUBLE_EQ(stepped({.rule = Lars{.layerwise = false}}, {3, 4}, {0.6, 0.8}, 0.5)[0], 3 - 0.5 * 0.6);
  EXPECT_DOUBLE_EQ(stepped({.rule = Lars{}}, {0, 0}, {0.6, 0.8}, 0.5)[1], -0.5 * 0.8);
  // No gradient: weight decay with a local rate of 1.
  EXPECT_DOUBLE_EQ(stepped({.rule = Lars{}, .weight_decay = 0.1}, {3, 4}, {0, 0}, 0.5)[0], 3 - 0.5 * 0.1 * 3);
  EXPECT_DOUBLE_EQ(stepped({.rule = Lars{}, .weight_decay = 0.1}, {0, 0}, {0, 0}, 0.5)[0], 0.0);
}

// What has entered the velocity of LARS keeps its learning rate; SGD multiplies the velocity by that of the step.
TEST(Lars, HasTheLearningRateInItsVelocity) {
  EXPECT_DOUBLE_EQ(stepped({.rule = Lars{.layerwise = false}}, {1}, {1}, 0.1, 2)[0], 1 - 0.1 - 0.09);
  EXPECT_DOUBLE_EQ(stepped({.rule = Sgd{.momentum = 0.9}}, {1}, {1}, 0.1, 2)[0], 1 - 0.1);
}

TEST(AppendUpdate, DecaysAsItsOptimizerSays) {
  EXPECT_DOUBLE_EQ(stepped({.rule = Sgd{}, .weight_decay = 0.1}, {2}, {1}, 0.5)[0], 2 - 0.5 * (1 + 0.1 * 2));
  EXPECT_DOUBLE_EQ(stepped({.rule = Sgd{}, .weight_decay = 0.1, .decoupled = true}, {2}, {1}, 0.5)[0],
                   2 * (1 - 0.5 * 0.1) - 0.5);
  // The first step of both goes by the learning rate along the sign of the gradient.
  EXPECT_NEAR(stepped({.rule = Adam{}, .weight_decay = 0.1, .decoupled = true}, {2}, {7}, 0.5)[0],
              2 * (1 - 0.5 * 0.1) - 0.5, 1e-8);
  EXPECT_NEAR(stepped({.rule = RmsProp{.smoothing = 0.0}, .weight_decay = 0.1, .decoupled = true}, {2}, {7}, 0.5)[0],
              2 * (1 - 0.5 * 0.1) - 0.5, 1e-8);
  const Optimizer adam_w{.rule = Adam{}, .weight_decay = 0.1, .decoupled = true};
  EXPECT_EQ(updated({.optimizer = adam_w}, false, 0.0).values<double>()[0], 2.0);  // coasts
}

// Agrees with torch.nn.utils.clip_grad_norm_ over all tensors and over each, and clip_grad_value_.
TEST(LimitGradients, AgreesWithPyTorch) {
  const Golden golden("gradient_limits");
  for (const auto& [name, by] : {std::pair{"value", GradientLimit::By::kValue},
                                 {"norm", GradientLimit::By::kNorm},
                                 {"global_norm", GradientLimit::By::kGlobalNorm}}) {
    for (const double limit : {0.5, 3.0, 100.0}) {
      Graph graph;
      std::vector<Value> g;
      for (int i = 0; i < 3; ++i) {
        const std::string input = "g" + std::to_string(i);
        g.push_back(graph.input(input, golden.at(input).spec()));
      }
      const std::vector<Value> limited = limit_gradients(g, GradientLimit{.limit = limit, .by = by});
      for (int i = 0; i < 3; ++i) graph.output("out" + std::to_string(i), limited[i]);
      Program program(graph, {.threads = 1});
      for (int i = 0; i < 3; ++i) program.set_input("g" + std::to_string(i), golden.at("g" + std::to_string(i)).view());
      program.run();
      for (int i = 0; i < 3; ++i) {
        const std::string out =
            std::string(name) + "_" + std::to_string(static_cast<int>(limit * 10)) + "/" + std::to_string(i);
        EXPECT_TRUE(near(program.output("out" + std::to_string(i)), golden.at(out).view(), {1e-14, 1e-15})) << out;
      }
    }
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

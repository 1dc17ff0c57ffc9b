// SPDX-License-Identifier: Apache-2.0
// The gradient of every primitive against differences of its value, through every set of layer operations in use, on
// every kind of linear operator.
#include "learning_rules/alignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/ops.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/convolution/conv_transpose2d.h"
#include "kernels/elementwise/map.h"
#include "kernels/linear/linear.h"
#include "kernels/reduction/sum.h"
#include "learning_rules/primitives/primitives.h"
#include "tests/support/aligned_layer.h"
#include "tests/support/compare.h"
#include "tests/support/learning_run.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

struct Operations {
  std::string name;
  std::vector<std::string> list;
};

std::vector<Operations> operation_sets() {
  return {{"none", {}},
          {"wm", {"bi_bwmc", "fo_bias", "fo_relu", "fo_bwmc"}},
          {"wm_ad_ops", {"bi_bwmc", "fo_bias", "fo_relu", "fo_fwmc", "fo_bwmc", "bo_relu", "bo_fwl2n"}},
          {"ia", {"fo_bias", "fo_relu", "fo_fwmc", "fo_bwmc", "bo_bias", "bo_fwmc", "bo_fwl2n"}},
          {"sa_aa", {"fo_bias", "bo_bias"}},
          {"length", {"bo_fwl2n"}},
          {"lengths", {"bi_fwl2n", "fo_fwl2n", "bo_fwl2n"}},
          {"akrout", {"fo_bias", "fo_activation", "bo_activation"}},
          {"all", alignment_operation_names()}};
}

LayerSetting image_layer(std::string name, const Conv2d& op, const Shape& x, const Shape& weight) {
  return {.name = std::move(name),
          .op = make_op(op),
          .x = x,
          .weight = weight,
          .bias = true,
          .activation = make_op(Map<Relu>{})};
}

std::vector<LayerSetting> settings() {
  std::vector<LayerSetting> list{
      {.name = "dense", .x = {4, 5}, .weight = {5, 3}, .bias = true, .activation = make_op(Map<Relu>{})},
      {.name = "dense_sigmoid", .x = {4, 5}, .weight = {5, 3}, .bias = true, .activation = make_op(Map<Sigmoid>{})},
      {.name = "dense_of_places", .x = {3, 2, 4}, .weight = {4, 3}, .bias = true, .activation = make_op(Map<Elu>{})},
      {.name = "three_times",
       .x = {3, 4},
       .weight = {4, 3},
       .bias = true,
       .activation = make_op(Map<Relu>{}),
       .applications = 3},
      image_layer("strided_padded", {.stride = {2, 2}, .padding = Padding2d::all(1)}, {2, 5, 6, 2}, {3, 3, 2, 3}),
      image_layer("same", {}, {2, 4, 5, 2}, {3, 3, 2, 2}),
      image_layer("same_strided", {.stride = {2, 3}}, {2, 5, 7, 2}, {3, 2, 2, 2}),
      image_layer("dilated", {.padding = Padding2d::valid(), .dilation = {2, 1}}, {2, 6, 4, 1}, {2, 2, 1, 3}),
      image_layer("grouped", {.stride = {1, 2}, .groups = 2}, {2, 4, 4, 4}, {3, 3, 2, 6}),
      image_layer("depthwise", {.groups = 3}, {2, 4, 4, 3}, {3, 3, 1, 3}),
      image_layer("depthwise_strided", {.stride = {2, 2}, .groups = 3}, {2, 5, 5, 3}, {3, 3, 1, 3})};
  LayerSetting convolution = image_layer("same_twice", {}, {2, 4, 3, 2}, {3, 3, 2, 2});
  convolution.applications = 2;
  list.push_back(convolution);
  for (std::int64_t groups : {1, 2}) {
    LayerSetting transposed = image_layer("", {}, {2, 3, 4, 4}, {3, 3, 2 / groups, 4});
    transposed.name = groups == 1 ? "transposed" : "transposed_grouped";
    transposed.op = make_op(ConvTranspose2d{.stride = {2, 2}, .groups = groups});
    list.push_back(transposed);
  }
  return list;
}

class AlignmentGradient : public testing::TestWithParam<LayerSetting> {};
INSTANTIATE_TEST_SUITE_P(Layers, AlignmentGradient, testing::ValuesIn(settings()),
                         [](const auto& info) { return info.param.name; });

// Values of a few hundred are off by 1e-14 of themselves, and differences in steps of 1e-5 by that over the step: 1e-7.
// Normalisation is the only thing of a third derivative, which enters with 1e-10.
constexpr double kDifferences = 1e-6;

TEST_P(AlignmentGradient, IsTheSlopeOfTheValue) {
  const std::vector<std::pair<std::string, std::vector<RuleTerm>>> rules{
      {"decay", terms_with({{&kDecayPrimitive, 0.7}})},
      {"amp", terms_with({{&kAmpPrimitive, 0.7}})},
      {"null", terms_with({{&kNullPrimitive, 0.7}})},
      {"sparse", terms_with({{&kSparsePrimitive, 0.7}})},
      {"self", terms_with({{&kSelfPrimitive, 0.7}})},
      {"sum", terms_with({{&kSparsePrimitive, 0.3},
                          {&kNullPrimitive, 0.8},
                          {&kAmpPrimitive, 1.3},
                          {&kDecayPrimitive, -0.4},
                          {&kNullPrimitive, 0.2},
                          {&kSelfPrimitive, 0.9}})}};
  for (const Operations& operations : operation_sets()) {
    for (const auto& [name, terms] : rules) {
      SCOPED_TRACE(operations.name + " " + name);
      LearningRule rule = rule_with({}, operations.list);
      rule.terms = terms;
      AlignedLayer layer(GetParam(), rule);
      const std::vector<double> gradient = layer.gradient(), slope = layer.differences();
      // The length of what is normalised is what it is.
      const AlignmentOperations& use = rule.operations;
      const bool constant = (name == "sparse" && use.bo_fwl2n) || (name == "null" && use.fo_fwl2n && !use.fo_bwmc);
      EXPECT_EQ(largest(slope) < 1e-3, constant);
      EXPECT_LT(largest_difference(gradient, slope), kDifferences * std::max(1.0, largest(slope)));
    }
  }
}

TEST_P(AlignmentGradient, IsThatOfFloat64InFloat32) {
  for (const Operations& operations : operation_sets()) {
    const LearningRule rule = rule_with({{&kAmpPrimitive, 1.3},
                                         {&kSparsePrimitive, 0.3},
                                         {&kNullPrimitive, 0.8},
                                         {&kDecayPrimitive, 0.4},
                                         {&kSelfPrimitive, 0.9}},
                                        operations.list);
    LayerSetting setting = GetParam();
    AlignedLayer exact(setting, rule);
    setting.dtype = DType::kFloat32;
    AlignedLayer single(setting, rule);
    const std::vector<double> expected = exact.gradient();
    // Some ten operations, sums of up to a hundred terms, and a division by a norm: 1e-5 beside the largest element.
    EXPECT_LT(largest_difference(single.gradient(), expected), 1e-5 * largest(expected)) << operations.name;
    EXPECT_NEAR(single.value(), exact.value(), 1e-5 * (1.0 + std::fabs(exact.value()))) << operations.name;
  }
}

// sum_n <x_n, B delta_n>, delta held where it is: KP's primitive is a function of B whose slope is dJ/dW.
TEST_P(AlignmentGradient, OfAngleIsThatOfTheForwardWeight) {
  const LayerSetting& setting = GetParam();
  Graph graph;
  const Spec weight{DType::kFloat64, setting.weight};
  const OpPtr op = setting.op ? setting.op : make_op(Linear{});
  const Value x = graph.input("x", Spec{DType::kFloat64, setting.x});
  const Value w = graph.state("weight", weight), b = graph.state("weight_backward", weight);
  const Value z = graph.apply(op, std::vector<Value>{x, w, b});
  const Value delta = graph.input("delta", z.spec());
  const Value loss = graph.apply(Sum{}, {z * delta});
  const std::vector<Value> g = gradients(loss, std::vector<Value>{x, w});
  graph.output("angle", inner_product(x, g[0]));
  graph.output("gradient", g[1]);
  const Shape said = delta.shape();
  Program program(graph, {.threads = 1});
  Tensor backward = random_tensor(DType::kFloat64, setting.weight, 2);
  program.bind("weight", random_tensor(DType::kFloat64, setting.weight, 1));
  program.bind("weight_backward", backward);
  program.set_input("x", random_tensor(DType::kFloat64, setting.x, 3).view());
  program.set_input("delta", random_tensor(DType::kFloat64, said, 4).view());
  program.run();
  const std::vector<double> gradient = values_of(program.output("gradient"));
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    double& element = backward.values<double>()[i];
    const double kept = element;
    const auto at = [&](double value) {
      element = value;
      program.run();
      return value_at(program.output("angle"), 0);
    };
    const double slope = at(kept + 0.5) - at(kept - 0.5);  // linear in B: any step will do
    element = kept;
    ASSERT_NEAR(slope, gradient[i], 1e-11) << i;
  }
}

TEST(Alignment, SumsTheApplicationsOfAWeight) {
  const LearningRule rule = rule_with({{&kAmpPrimitive, 1.3}, {&kSparsePrimitive, 0.3}, {&kNullPrimitive, 0.8}},
                                      {"fo_bias", "fo_relu", "bo_fwl2n", "bi_bwmc"});
  LayerSetting setting{
      .x = {3, 4}, .weight = {4, 3}, .bias = true, .activation = make_op(Map<Relu>{}), .applications = 3};
  AlignedLayer together(setting, rule);
  setting.applications = 1;
  AlignedLayer alone(setting, rule);
  for (const char* name : {"weight", "weight_backward", "bias"}) alone.set(name, together.get(name));
  double value = 0.0;
  std::vector<double> gradient(12, 0.0);
  for (const char* name : {"x", "x1", "x2"}) {
    alone.set("x", together.get(name));
    value += alone.value();
    const std::vector<double> g = alone.gradient();
    for (std::size_t i = 0; i < g.size(); ++i) gradient[i] += g[i];
  }
  EXPECT_NEAR(together.value(), value, 1e-12);
  EXPECT_LT(largest_difference(together.gradient(), gradient), 1e-12);
}

// A coefficient that changes over training is an input of the step, one that stands for the L2 term of the layer is
// that.
TEST(Alignment, CoefficientsMayChange) {
  const auto network = [](const Scope& scope) {
    const Value x = scope.graph().input("x", Spec{scope.dtype(), {4, 5}});
    return scope.graph().apply(Sum{},
                               {relu(linear(x, scope.weight("weight", {5, 3}, Initialiser::uniform(0.8), 0.3)))});
  };
  const std::map<const Primitive*, double> values{{&kAmpPrimitive, 1.3},
                                                  {&kSparsePrimitive, 0.6},
                                                  {&kNullPrimitive, 0.8},
                                                  {&kDecayPrimitive, 0.3},
                                                  {&kSelfPrimitive, 0.9}};
  const auto after = [&](const std::vector<const Primitive*>& changing) {
    LearningRule rule{.name = "test", .feedback = Feedback::kOwn};
    std::map<std::string, Tensor> inputs{{"x", random_tensor(DType::kFloat64, {4, 5}, 1)}};
    for (const auto& [primitive, value] : values) {
      if (std::ranges::find(changing, primitive) == changing.end()) {
        rule.terms.push_back({primitive, {.value = value}});
      } else {
        rule.terms.push_back({primitive, {.value = 77.0, .stop = 0.5}});  // what the input holds counts
        inputs[coefficient_input(rule, *primitive)] = Tensor::of<double>({}, std::vector<double>{value});
      }
    }
    if (changing.size() == values.size()) {
      std::ranges::find(rule.terms, &kDecayPrimitive, &RuleTerm::primitive)->coefficient = {.value = 77.0,
                                                                                            .layer_l2 = true};
    }
    LearningRun run(network, {.rule = rule, .optimizer = {.rule = Sgd{}}});
    run.step(Phase::kAlignment, {.alignment = 0.1}, inputs);
    return run.get("weight_backward");
  };
  const std::vector<double> constant = after({});
  for (const auto& [primitive, value] : values) {
    EXPECT_LT(largest_difference(after({primitive}), constant), 1e-13) << primitive->name;
  }
  EXPECT_LT(largest_difference(after({&kAmpPrimitive, &kNullPrimitive, &kSelfPrimitive}), constant), 1e-13);
  std::vector<const Primitive*> all;
  for (const auto& [primitive, value] : values) all.push_back(primitive);
  EXPECT_LT(largest_difference(after(all), constant), 1e-13);
}

// A projection that is all but constant over its features has no direction: its length is taken to be the floor, 1e-6,
// and that is a constant.
TEST(Alignment, NormalisationOfNextToNothing) {
  for (const double difference : {0.0, 3e-7}) {
    AlignedLayer layer({.x = {2, 3}, .weight = {3, 4}}, rule_with({{&kAmpPrimitive, 1.0}}, {"bo_fwl2n"}));
    std::vector<double> b(12);
    for (std::size_t i = 0; i < b.size(); ++i) {
      b[i] = 0.1 * static_cast<double>(1 + i / 4) + difference * static_cast<double>(i % 2);
    }
    layer.set("weight_backward", b);
    // The slope is -mean x (y - mean y)^T over the floor, and in units of that everything is of size 1.
    const std::vector<double> x = layer.get("x"), z = layer.output("z"), g = layer.gradient();
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t o = 0; o < 4; ++o) {
        double expected = 0.0;
        for (std::size_t n = 0; n < 2; ++n) {
          const double mean = (z[4 * n] + z[4 * n + 1] + z[4 * n + 2] + z[4 * n + 3]) / 4.0;
          expected -= x[3 * n + i] * (z[4 * n + o] - mean) / 2.0;
        }
        EXPECT_NEAR(1e-6 * g[4 * i + o], expected, 1e-12) << difference;
      }
    }
    EXPECT_EQ(std::fabs(layer.value()) > 1e-3, difference > 0.0);
  }
}

}  // namespace
}  // namespace chiasm::test

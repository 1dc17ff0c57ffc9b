// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/alignment_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/ops.h"
#include "engine/scope.h"
#include "kernels/elementwise/map.h"
#include "kernels/reduction/sum.h"
#include "tests/support/aligned_layer.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;

// The dense layer of spec/learning_rules.md section 11, whose errors are those given there. Our W is the transpose of
// the spec's, our B is as printed.
class Section11 {
 public:
  explicit Section11(const LearningRule& rule) {
    Graph graph;
    const Scope scope(graph, parameters_, {.dtype = DType::kFloat64, .untied = [](std::string_view) { return true; }});
    const Value x = graph.input("x", {DType::kFloat64, {2, 3}}),
                delta = graph.input("delta", {DType::kFloat64, {2, 2}});
    const Value z = linear(x, scope.weight("w", {3, 2}, Initialiser::constant(0.0)));
    graph.output("loss", graph.apply(Sum{}, {z * delta}));
    Learning learning;
    learning.rule = rule;
    probe_.emplace(graph, parameters_, learning, 1);
    parameters_.initialise(1);
    set(parameters_.tensors().at("w"), {0.5, 1.5, -1.0, 0.75, 0.25, -0.5});
    set(parameters_.tensors().at("w_backward"), {0.2, -0.4, 0.1, 0.3, -0.6, 0.5});
    program_.emplace(probe_->graph(), ProgramOptions{.threads = 1});
    program_->bind_all(parameters_.tensors());
    program_->set_input("x", Tensor::of<double>({2, 3}, std::vector<double>{1, 2, -1, 0.5, -1.5, 2}).view());
    program_->set_input("delta", Tensor::of<double>({2, 2}, std::vector<double>{0.3, -0.7, -0.2, 0.4}).view());
    program_->run_compute();
  }

  std::vector<LayerAlignment> read() const { return probe_->read(*program_); }

 private:
  static void set(Tensor& tensor, const std::vector<double>& values) {
    std::ranges::copy(values, tensor.values<double>().begin());
  }

  Parameters parameters_;
  std::optional<AlignmentProbe> probe_;
  std::optional<Program> program_;
};

// What the probe of a network of that one layer says, at its values.
double growth_of(const LayerSetting& setting, const LearningRule& rule, const AlignedLayer& values) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat64, .untied = [](std::string_view) { return true; }});
  Value y = linear(graph.input("x", {DType::kFloat64, setting.x}),
                   scope.weight("weight", setting.weight, Initialiser::constant(0.0)));
  y = y + scope.parameter("bias", {y.shape().at(-1)}, Initialiser::constant(0.0));
  graph.output("loss", graph.apply(Sum{}, {graph.apply(setting.activation, std::vector<Value>{y})}));
  Learning learning;
  learning.rule = rule;
  const AlignmentProbe probe(graph, parameters, learning, 3);
  parameters.initialise(1);
  for (const char* name : {"weight", "weight_backward", "bias"}) {
    std::ranges::copy(values.get(name), parameters.tensors().at(name).values<double>().begin());
  }
  Program program(probe.graph(), ProgramOptions{.threads = 1});
  program.bind_all(parameters.tensors());
  const std::vector<double> x = values.get("x");
  program.set_input("x", Tensor::of<double>(setting.x, x).view());
  program.run_compute();
  return probe.read(program).at(0).growth_rate();
}

// Printed to 9 digits.
TEST(AlignmentMetrics, AreThoseOfSection11) {
  const std::vector<LayerAlignment> all = Section11(rule_of("fa").rule).read();
  ASSERT_EQ(all.size(), 1u);
  const LayerAlignment& layer = all[0];
  EXPECT_EQ(layer.path, "w");
  EXPECT_NEAR(layer.weight_angle, 112.855689, 5e-7);
  EXPECT_NEAR(layer.projection_angle, 140.826719, 5e-7);
  EXPECT_NEAR(layer.gradient_angle, 116.742069, 5e-7);
  EXPECT_NEAR(layer.norm_ratio, 0.456070170, 5e-10);
  // |W|^2 = 4.375, |B|^2 = 0.91 and <W, B> = -0.775, the negative of `self` and twice `decay` there.
  EXPECT_NEAR(layer.symmetric_energy, (4.375 + 0.91 - 2 * 0.775) / 4, 1e-12);
  EXPECT_NEAR(layer.skew_energy, (4.375 + 0.91 + 2 * 0.775) / 4, 1e-12);
  EXPECT_TRUE(layer.growth.empty());
}

// d/dt log |B| = -<B, dR/dB> / |B|^2 with the values of section 11 for two samples: amp 3.046875 is linear in B, decay
// 0.455 and null 4.213671875 are quadratic.
TEST(AlignmentMetrics, SayWhatMakesAWeightGrow) {
  LearningRule rule{.name = "three", .feedback = Feedback::kOwn};
  rule.terms = {{&primitive_of("amp"), {.value = 2.0}},
                {&primitive_of("decay"), {.value = 0.5}},
                {&primitive_of("null"), {.value = 0.25}}};
  const LayerAlignment layer = Section11(rule).read()[0];
  ASSERT_EQ(layer.growth.size(), 3u);
  EXPECT_NEAR(layer.growth[0].second, -2.0 * 3.046875 / 0.91, 1e-12);
  EXPECT_NEAR(layer.growth[1].second, -0.5 * 2 * 0.455 / 0.91, 1e-12);
  EXPECT_NEAR(layer.growth[2].second, -0.25 * 2 * 4.213671875 / 0.91, 1e-12);
}

// The slope along B of what is minimised, whatever operations are on the way: central differences of its value at (1 +-
// h) B.
TEST(AlignmentMetrics, GrowthIsTheSlopeAlongTheWeight) {
  constexpr double kStep = 1e-5;
  const LayerSetting setting{.x = {3, 3}, .weight = {3, 4}, .bias = true, .activation = make_op(Map<Relu>{})};
  const std::vector<std::vector<std::string>> operations{
      {},
      {"bo_fwl2n"},
      {"bo_bias", "bo_fwl2n"},
      {"bo_relu", "bo_bias"},
      {"fo_bias", "fo_relu", "fo_fwl2n", "fo_bwmc", "bo_relu", "bo_fwmc"},
      {"bi_bwmc", "fo_bias", "fo_relu", "fo_fwmc", "fo_bwmc", "bo_relu", "bo_fwl2n"}};  // the WM_AD_OPS set
  for (const std::vector<std::string>& names : operations) {
    for (const char* primitive : {"amp", "null", "sparse", "decay", "self"}) {
      const LearningRule rule = rule_with({{&primitive_of(primitive), 1.5}}, names);
      AlignedLayer layer(setting, rule);
      const std::vector<double> backward = layer.get("weight_backward");
      const auto value = [&](double factor) {
        std::vector<double> scaled = backward;
        for (double& b : scaled) b *= factor;
        layer.set("weight_backward", scaled);
        return layer.value();
      };
      const double slope = (value(1 + kStep) - value(1 - kStep)) / (2 * kStep);
      const double norm = std::inner_product(backward.begin(), backward.end(), backward.begin(), 0.0);
      const double whole = value(1.0);  // which also sets B back
      const double growth = growth_of(setting, rule, layer);
      // Differences of values below 10, and a third derivative of their order.
      EXPECT_NEAR(growth, -slope / norm, 1e-8 * std::max(1.0, std::abs(slope))) << primitive << names.size();
      if (primitive == std::string("amp") && names == std::vector<std::string>{"bo_fwl2n"}) {
        EXPECT_NEAR(growth, 0.0, 1e-12);
        EXPECT_GT(std::abs(whole), 0.1);
      }
    }
  }
}

TEST(Divergence, NamesTheLayerAndWhatDrivesIt) {
  const LayerAlignment calm{.path = "a/weight", .symmetric_energy = 2.0};
  LayerAlignment wild{.path = "b/weight", .symmetric_energy = 1e3};
  const LayerAlignment wild_before{.path = "b/weight", .symmetric_energy = 1.0};
  EXPECT_EQ(divergence({calm, wild_before}, {calm, wild}, 1e4, 0.1), "");
  wild.growth = {{"amp", 2.25}, {"decay", -0.5}};
  const std::string mirror = divergence({calm, wild_before}, {calm, wild}, 100, 0.1);
  EXPECT_THAT(mirror, HasSubstr("b/weight grew from 1 to 1e+03"));
  EXPECT_THAT(mirror, HasSubstr("+1.75 (amp +2.25, decay -0.5)"));
  EXPECT_THAT(mirror, HasSubstr("lower \"amp\""));
  wild.growth = {{"amp", 0.5}, {"decay", -2.0}};
  EXPECT_THAT(divergence({calm, wild_before}, {calm, wild}, 100, 0.1), HasSubstr("steps are too long"));
  wild.growth = {{"decay", -0.5}, {"self", 0.7}};
  EXPECT_THAT(divergence({calm, wild_before}, {calm, wild}, 100, 0.1), HasSubstr("forward weight grows"));
}

}  // namespace
}  // namespace chiasm::test

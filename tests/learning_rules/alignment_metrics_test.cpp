// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/alignment_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ops.h"
#include "engine/scope.h"
#include "kernels/reduction/sum.h"

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

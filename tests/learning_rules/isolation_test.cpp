// SPDX-License-Identifier: Apache-2.0
// What an alignment step touches: backward weights and the state of their optimizer, each layer by itself.
#include <gtest/gtest.h>

#include <set>

#include "engine/ops.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/normalization/batch_norm.h"
#include "kernels/reduction/mean.h"
#include "kernels/reduction/sum.h"
#include "learning_rules/alignment.h"
#include "learning_rules/learning_rule.h"
#include "learning_rules/primitives/primitives.h"
#include "tests/support/aligned_layer.h"
#include "tests/support/compare.h"
#include "tests/support/learning_run.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

const std::vector<std::string> kLayers{"first", "second", "third"};

// A strided convolution with batch normalisation, a grouped one with a bias, and a matrix, rectified in between.
Value network(const Scope& scope) {
  const Value image = scope.graph().input("image", Spec{scope.dtype(), {2, 6, 6, 2}});
  Value x = conv2d(image, scope.weight("first", {3, 3, 2, 4}, Initialiser::uniform(0.5), 1e-2), {.stride = {2, 2}});
  const std::vector<Value> normal = scope.graph().apply_all(
      make_op(BatchNorm{}), std::vector<Value>{x, scope.parameter("gain", {4}, Initialiser::constant(1.1)),
                                               scope.parameter("offset", {4}, Initialiser::constant(0.1))});
  scope.update_statistic("mean", affine(scope.statistic("mean", {4}, 0.0), 0.9, 0.0) + affine(normal[1], 0.1, 0.0));
  x = relu(normal[0]);
  x = conv2d(x, scope.weight("second", {3, 3, 2, 4}, Initialiser::uniform(0.5)), {.groups = 2});
  x = relu(x + scope.parameter("bias", {4}, Initialiser::uniform(0.3)));
  x = reshape(x, {2, 36});
  x = linear(x, scope.weight("third", {36, 3}, Initialiser::uniform(0.5), 1e-2));
  return scope.graph().apply(Mean{}, {x * x});
}

std::map<std::string, Tensor> inputs(unsigned seed) {
  return {{"image", random_tensor(DType::kFloat64, {2, 6, 6, 2}, seed)}};
}

std::map<std::string, Tensor> copies_of(const std::map<std::string, Tensor>& tensors) {
  std::map<std::string, Tensor> copies;
  for (const auto& [name, tensor] : tensors) copies[name] = tensor.clone();
  return copies;
}

std::vector<LearningRule> aligning_rules() {
  std::vector<LearningRule> rules;
  for (const NamedRule* named : all_rules()) {
    if (named->rule.aligns()) rules.push_back(named->rule);
  }
  return rules;
}

TEST(Isolation, AnAlignmentStepMovesBackwardWeightsOnly) {
  ASSERT_EQ(aligning_rules().size(), 4u);  // WM, IA, SA, AA
  for (const LearningRule& rule : aligning_rules()) {
    SCOPED_TRACE(rule.name);
    Learning learning{.rule = rule};
    learning.phases.off_phase = PhasePlan::OffPhase::kFreeze;
    LearningRun run(network, learning, {.rule = Sgd{.momentum = 0.9}});
    // Velocities and statistics that are not zero.
    run.step(Phase::kTask, {.task = 0.1}, inputs(1));
    run.graph(Phase::kAlignment);
    run.get("first");
    const std::map<std::string, Tensor> before = copies_of(run.states());
    for (unsigned seed = 2; seed < 5; ++seed) run.step(Phase::kAlignment, {.alignment = 0.01}, inputs(seed));
    std::set<std::string> moved;
    for (const auto& [name, tensor] : run.states()) {
      if (!bit_equal(tensor.view(), before.at(name).view())) moved.insert(name);
    }
    std::set<std::string> expected;
    for (const std::string& layer : kLayers) {
      expected.insert(backward_weight_name(layer));
      for (const char* moment : {"optimizer/first_moment/", "optimizer/second_moment/"}) {
        expected.insert(moment + backward_weight_name(layer));
      }
    }
    EXPECT_EQ(moved, expected);
    std::set<std::string> assigned;
    for (const Assignment& assignment : run.graph(Phase::kAlignment).assignments()) {
      for (const auto& [name, id] : run.graph(Phase::kAlignment).states()) {
        if (id == assignment.state) assigned.insert(name);
      }
    }
    EXPECT_EQ(assigned, expected);
  }
}

TEST(Isolation, ATaskStepLeavesBackwardWeightsAlone) {
  for (const LearningRule& rule : aligning_rules()) {
    Learning learning{.rule = rule};
    learning.phases.off_phase = PhasePlan::OffPhase::kFreeze;
    LearningRun run(network, learning);
    run.graph(Phase::kTask);
    const std::vector<double> forward = run.get("second");
    std::map<std::string, std::vector<double>> before;
    for (const std::string& layer : kLayers) before[layer] = run.get(backward_weight_name(layer));
    for (unsigned seed = 1; seed < 4; ++seed) run.step(Phase::kTask, {.task = 0.1, .alignment = 0.1}, inputs(seed));
    EXPECT_GT(largest_difference(run.get("second"), forward), 0.0) << rule.name;
    for (const auto& [layer, values] : before) {
      EXPECT_EQ(run.get(backward_weight_name(layer)), values) << rule.name << " " << layer;
    }
  }
}

// The forward weights that a step of both kinds leaves behind are those of a step of the task: alignment adds nothing.
TEST(Isolation, AlignmentAddsNothingToForwardWeights) {
  for (const LearningRule& rule : aligning_rules()) {
    SCOPED_TRACE(rule.name);
    const Learning learning{.rule = rule};
    LearningRun both(network, learning, {.rule = Sgd{.momentum = 0.9}});
    LearningRun task(network, learning, {.rule = Sgd{.momentum = 0.9}});
    both.step(Phase::kBoth, {.task = 0.1, .alignment = 0.1}, inputs(1));
    task.step(Phase::kTask, {.task = 0.1}, inputs(1));
    for (const Parameter& parameter : both.parameters().all()) {
      if (parameter.role == ParameterRole::kBackward || is_optimizer_state(parameter.name)) continue;
      EXPECT_TRUE(bit_equal(both.states().at(parameter.name).view(), task.states().at(parameter.name).view()))
          << parameter.name;
    }
  }
}

TEST(Isolation, ALayersGradientReadsItsOwnBackwardWeightOnly) {
  const LearningRule rule = rule_with({{&kAmpPrimitive, 1.0},
                                       {&kDecayPrimitive, 0.5},
                                       {&kNullPrimitive, 0.5},
                                       {&kSparsePrimitive, 0.5},
                                       {&kSelfPrimitive, 0.5}},
                                      {"fo_bias", "fo_relu", "fo_bwmc", "bo_fwl2n", "bi_bwmc"});
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters,
                    {.dtype = DType::kFloat64, .training = true, .untied = [](std::string_view) { return true; }});
  const Value loss = network(scope);
  const std::vector<PlasticLayer> layers = find_plastic_layers(loss);
  ASSERT_EQ(layers.size(), kLayers.size());
  for (const PlasticLayer& layer : layers) graph.output(layer.path, alignment_gradient(layer, rule, {.seed = 1}));
  parameters.initialise(3);
  Program program(graph, {.threads = 1});
  program.bind_all(parameters.tensors());
  program.set_input("image", inputs(1).at("image").view());
  const auto gradients_now = [&] {
    program.run();
    std::map<std::string, std::vector<double>> result;
    for (const std::string& layer : kLayers) result[layer] = values_of(program.output(layer));
    return result;
  };
  const auto before = gradients_now();
  for (const std::string& changed : kLayers) {
    Tensor& b = parameters.tensors().at(backward_weight_name(changed));
    const Tensor kept = b.clone();
    for (double& v : b.values<double>()) v = 0.7 * v + 0.01;
    const auto after = gradients_now();
    for (const std::string& layer : kLayers) {
      EXPECT_EQ(after.at(layer) == before.at(layer), layer != changed) << layer << " where " << changed << " changed";
    }
    std::copy_n(kept.values<double>().begin(), kept.elements(), b.values<double>().begin());
  }
}

TEST(Isolation, FeedbackAlignmentNeverTouchesItsBackwardWeights) {
  LearningRun run(network, {.rule = rule_of("fa").rule}, {.rule = Sgd{.momentum = 0.9}});
  run.graph(Phase::kBoth);
  std::map<std::string, std::vector<double>> before, forward;
  for (const std::string& layer : kLayers) {
    before[layer] = run.get(backward_weight_name(layer));
    forward[layer] = run.get(layer);
  }
  for (unsigned seed = 1; seed < 20; ++seed) run.step(Phase::kBoth, {.task = 0.1, .alignment = 0.1}, inputs(seed));
  for (const std::string& layer : kLayers) {
    EXPECT_EQ(run.get(backward_weight_name(layer)), before.at(layer)) << layer;
    EXPECT_GT(largest_difference(run.get(layer), forward.at(layer)), 1e-3) << layer;
    EXPECT_GT(largest_difference(before.at(layer), forward.at(layer)), 1e-3) << layer;
  }
}

// Off steps of a coasting optimizer: gradients of zero, without an L2 term.
TEST(Isolation, CoastingStepsAreGradientsOfZero) {
  Learning learning{.rule = rule_of("sa").rule};
  learning.phases.off_phase = PhasePlan::OffPhase::kCoast;
  LearningRun run(network, learning, {.rule = Sgd{.momentum = 0.9, .nesterov = true}});
  run.step(Phase::kTask, {.task = 0.1}, inputs(1));
  run.graph(Phase::kAlignment);
  run.get("first");
  for (const char* name : {"first", "second", "third", "gain", "bias"}) {
    SCOPED_TRACE(name);
    const std::vector<double> velocity = run.get(std::string("optimizer/velocity/") + name), w = run.get(name);
    const std::vector<double> mean = run.get("mean");
    run.step(Phase::kAlignment, {.task = 0.1, .alignment = 0.0}, inputs(2));
    const std::vector<double> velocity_after = run.get(std::string("optimizer/velocity/") + name),
                              after = run.get(name);
    EXPECT_GT(largest(velocity), 0.0);
    for (std::size_t i = 0; i < w.size(); ++i) {
      ASSERT_NEAR(velocity_after[i], 0.9 * velocity[i], 1e-15);
      ASSERT_NEAR(after[i], w[i] - 0.1 * 0.9 * 0.9 * velocity[i], 1e-14);  // W - lr (g + 0.9 a), a <- 0.9 a
    }
    EXPECT_EQ(run.get("mean"), mean);
  }
}

}  // namespace
}  // namespace chiasm::test

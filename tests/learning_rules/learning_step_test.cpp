// SPDX-License-Identifier: Apache-2.0
// What holds for every rule on whole networks, feedforward and recurrent: with aligned weights rules are
// backpropagation, nothing but backward weights is moved by alignment, and the time compiler changes nothing.
#include "learning_rules/learning_step.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "learning_rules/feedback.h"
#include "models/network.h"
#include "models/tasks/classification/graphs.h"
#include "tests/support/cuda.h"
#include "tests/support/running_network.h"
#include "tests/support/training.h"

namespace chiasm::test {
namespace {

// Strided, separable and transposed-by-residual convolutions with batch normalisation and ReLU.
constexpr const char* kFeedforward = R"({"image": [9, 8, 2], "steps": 1, "feedforward_delay": 0,
  "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 4, "kernel": 3, "stride": 2, "bias_init": 0.1},
                              {"op": "batch_norm"}, "relu"]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 6, "kernel": 3, "separable": true, "bias": false},
                              {"op": "batch_norm"}, "relu",
                              {"op": "conv", "channels": 6, "kernel": 3, "bias": false}, {"op": "batch_norm"},
                              {"op": "residual", "projection": [{"op": "conv", "channels": 6, "kernel": 1}]}, "relu"]},
    {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 5, "bias_init": 0.2}]}]})";

// Reciprocal gated cells, with feedback over one and two layers and an image that goes off.
constexpr const char* kRecurrent = R"({"image": [7, 6, 2], "steps": 7, "image_off": 4,
  "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 3, "kernel": 3, "bias_init": 0.1}, "elu"]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 4, "kernel": 3, "bias_init": -0.1}],
     "cell": {"type": "rgc", "cell_channels": 3, "bias_init": 0.05}, "post": [{"op": "max_pool", "size": 2}]},
    {"name": "conv3", "pre": [{"op": "conv", "channels": 4, "kernel": 2, "bias_init": 0.2}],
     "cell": {"type": "rgc", "cell_channels": 2, "gate": {"kernel": 2, "separable": false}}},
    {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 5, "bias_init": 0.3}]}],
  "connections": [{"source": "conv3", "target": "conv2"}, {"source": "conv2", "target": "conv1", "delay": 2}]})";

struct Case {
  std::string rule;
  const char* network;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.rule << (c.network == kRecurrent ? " recurrent" : ""); }

Learning learning_of(const std::string& name) {
  Learning learning;
  learning.rule = rule_of(name).rule;
  // Large enough to matter within a few steps.
  for (RuleTerm& term : learning.rule.terms) {
    if (!term.coefficient.layer_l2 && term.primitive->name != "angle") term.coefficient.value = 0.5;
  }
  return learning;
}

Graph step_of(const Case& c, Parameters& parameters, DType dtype, const std::string& passes,
              Phase phase = Phase::kBoth) {
  Network network = network_of(c.network);
  const Learning learning = learning_of(c.rule);
  network.untied = [learning](std::string_view path) { return learning.untied(path); };
  const Graph loss = build_loss(network, parameters, 3, {.dtype = dtype, .seed = 5, .passes = passes});
  return build_learning_step(
      loss, parameters, learning,
      {.task_optimizer = {.rule = Sgd{.momentum = 0.9}}, .phase = phase, .seed = 5, .passes = passes});
}

void align(Parameters& parameters) {
  parameters.initialise(2);
  for (const Parameter& parameter : parameters.all()) {
    const auto backward = parameters.tensors().find(backward_weight_name(parameter.name));
    if (backward != parameters.tensors().end()) backward->second = parameters.tensors().at(parameter.name).clone();
  }
}

std::vector<Case> cases_of(const std::function<bool(const LearningRule&)>& fits) {
  std::vector<Case> cases;
  for (const NamedRule* named : all_rules()) {
    if (!fits(named->rule)) continue;
    for (const char* network : {kFeedforward, kRecurrent}) cases.push_back({named->rule.name, network});
  }
  return cases;
}

class RulesWithBackwardWeights : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Learning, RulesWithBackwardWeights, testing::ValuesIn(cases_of([](const LearningRule& rule) {
                           return rule.feedback == Feedback::kOwn;
                         })));

// To the bit, but for one case: batch_time joins products of the alignment loss with those of the task, and the float32
// library may order the sums of a larger product differently (of up to 200 terms here, over six steps: 16 roundings).
TEST_P(RulesWithBackwardWeights, AlignedGiveThePseudoGradientsOfBackpropagationToTheBit) {
  for (const DType dtype : {DType::kFloat64, DType::kFloat32}) {
    for (const char* passes : {"none", "all"}) {
      Parameters tied, untied;
      const Graph backprop = step_of({"backprop", GetParam().network}, tied, dtype, passes);
      const Graph rule = step_of(GetParam(), untied, dtype, passes);
      align(untied);
      const Trained expected = train(backprop, tied, {.threads = 1, .passes = passes}, 1);
      const Trained actual = train(rule, untied, {.threads = 1, .passes = passes}, 1);
      EXPECT_EQ(actual.losses, expected.losses);
      const bool joined =
          dtype == DType::kFloat32 && std::string_view(passes) == "all" && !rule_of(GetParam().rule).rule.terms.empty();
      const Tolerance rounding = rounding_tolerance(dtype, 16.0, 200.0);
      int compared = 0;
      for (const auto& [name, tensor] : expected.states) {
        const View found = actual.states.at(name).view();
        EXPECT_TRUE(joined ? near(found, tensor.view(), rounding) : bit_equal(found, tensor.view()))
            << name << " with passes " << passes;
        ++compared;
      }
      EXPECT_GT(compared, 10);
    }
  }
}

TEST_P(RulesWithBackwardWeights, MoveThemOrLeaveThemToTheBit) {
  Parameters parameters;
  const Graph step = step_of(GetParam(), parameters, DType::kFloat32, "all");
  const Trained after = train(step, parameters, {.threads = 1}, 3);
  const LearningRule& rule = rule_of(GetParam().rule).rule;
  int backward = 0;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.role != ParameterRole::kBackward) continue;
    ++backward;
    const bool same = bit_equal(after.states.at(parameter.name).view(), parameters.tensors().at(parameter.name).view());
    EXPECT_EQ(same, rule.terms.empty()) << parameter.name;
  }
  EXPECT_GE(backward, 5);
}

class AllRules : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Learning, AllRules, testing::ValuesIn(cases_of([](const LearningRule&) { return true; })));

// Sums over time are taken in another order: 1e-12 relative to a sum of a few hundred terms, times three steps; Adam's
// division by the root of a small second moment amplifies what is left.
TEST_P(AllRules, PassesChangeNothing) {
  Parameters plain_parameters, compiled_parameters;
  const Graph plain = step_of(GetParam(), plain_parameters, DType::kFloat64, "none");
  const Graph compiled = step_of(GetParam(), compiled_parameters, DType::kFloat64, "all");
  const Trained expected = train(plain, plain_parameters, {.threads = 1, .passes = "none"});
  const Trained actual = train(compiled, compiled_parameters, {.threads = 1});
  expect_near(actual, expected, {.relative = 1e-8, .absolute = 1e-10});
}

// Float32 on both: sums of a few hundred products, three steps of which each builds on the last, and pseudo-inverses
// and ratios of norms in some primitives.
TEST_P(AllRules, TrainOnCudaLikeOnTheCpu) {
  CHIASM_NEEDS_CUDA();
  Parameters parameters;
  const Graph step = step_of(GetParam(), parameters, DType::kFloat32, "all");
  const Trained expected = train(step, parameters, {.threads = 1});
  const ProgramOptions on_cuda{.device = {Device::Kind::kCuda, 0}, .deterministic = true};
  const Trained actual = train(step, parameters, on_cuda);
  expect_near(actual, expected, {rounding_tolerance(DType::kFloat32, 60.0, 400.0).relative, 1e-6});
  expect_same_bits(train(step, parameters, on_cuda), actual);
}

// What trains, and what the graph computes, with the first layer frozen and others in groups.
TEST_P(AllRules, TrainInGroupsAndLeaveFrozenParametersAlone) {
  const Learning learning = learning_of(GetParam().rule);
  Network network = network_of(GetParam().network);
  network.untied = [learning](std::string_view path) { return learning.untied(path); };
  Parameters parameters;
  const Graph loss = build_loss(network, parameters, 3, {.dtype = DType::kFloat64, .seed = 5});
  Parameters whole_parameters = parameters;
  const Graph whole = build_learning_step(loss, whole_parameters, learning, {.seed = 5});
  LearningStepOptions options{.seed = 5};
  options.groups = {{.name = "first", .patterns = {"conv1/*"}, .frozen = true},
                    {.name = "biases", .patterns = {"*bias*"}, .optimizer = {.rule = Lars{.layerwise = false}}},
                    {.name = "second",
                     .patterns = {"conv2/*"},
                     .optimizer = {.rule = Adam{},
                                   .clip = GradientLimit{.limit = 1.0, .by = GradientLimit::By::kGlobalNorm},
                                   .weight_decay = 0.1,
                                   .decoupled = true}}};
  options.copies = {{.name = "copies", .patterns = {"conv1/*", "conv2/*"}}};
  const Graph step = build_learning_step(loss, parameters, learning, options);
  parameters.initialise(4);
  std::map<std::string, Tensor> before;
  for (const auto& [name, tensor] : parameters.tensors()) before[name] = tensor.clone();
  const Trained trained = train(step, parameters, {.threads = 1});
  int moved = 0, frozen = 0;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.role != ParameterRole::kForward) continue;
    const std::string& name = parameter.name;
    const auto keeps = [&](const char* what) {
      return parameters.find("optimizer/" + (what + ("/" + name))) != nullptr;
    };
    const bool same = bit_equal(trained.states.at(name).view(), before.at(name).view());
    if (name.starts_with("conv1/")) {
      EXPECT_TRUE(same) << name;
      EXPECT_FALSE(keeps("velocity") || keeps("first_moment")) << name;
      EXPECT_TRUE(bit_equal(trained.states.at("target/" + name).view(), before.at(name).view())) << name;
      ++frozen;
    } else {
      const bool adam = name.starts_with("conv2/") && name.find("bias") == std::string::npos;
      EXPECT_EQ(keeps("first_moment"), adam) << name;
      EXPECT_EQ(keeps("velocity"), !adam) << name;
      moved += !same;
      if (!name.starts_with("conv2/")) continue;
      const View copy = trained.states.at("target/" + name).view();
      EXPECT_FALSE(bit_equal(copy, before.at(name).view()) && !same) << name;
    }
  }
  EXPECT_GE(frozen, 2);
  EXPECT_GE(moved, 4);
  // A backward weight with a loss of its own goes on aligning.
  const std::string backward = backward_weight_name("conv1/conv/weight");
  if (parameters.find(backward) != nullptr) {
    EXPECT_EQ(!bit_equal(trained.states.at(backward).view(), before.at(backward).view()), learning.rule.aligns());
  }
  // Gradients of what is frozen are not computed.
  const auto updates = [](const Graph& graph) {
    return std::ranges::count_if(graph.nodes(),
                                 [](const Node& node) { return node.label == "update conv1/conv/weight"; });
  };
  EXPECT_GT(updates(whole), 0);
  EXPECT_EQ(updates(step), 0);
  EXPECT_LT(trained.flops, train(whole, whole_parameters, {.threads = 1}, 1).flops);
}

TEST_P(AllRules, PhasesOfTheirOwnDoNotTouchTheOtherWeights) {
  const Learning learning = learning_of(GetParam().rule);
  if (!learning.aligns()) return;
  Network network = network_of(GetParam().network);
  network.untied = [](std::string_view) { return true; };
  for (const Phase phase : {Phase::kTask, Phase::kAlignment}) {
    Learning frozen = learning;
    frozen.phases.off_phase = PhasePlan::OffPhase::kFreeze;
    Parameters parameters;
    const Graph loss = build_loss(network, parameters, 2, {});
    const Graph step = build_learning_step(loss, parameters, frozen, {.phase = phase});
    int moved = 0;
    for (const Assignment& a : step.assignments()) {
      for (const auto& [name, id] : step.states()) {
        const Parameter* parameter = parameters.find(name);
        if (id != a.state || parameter->role == ParameterRole::kStatistic) continue;
        EXPECT_EQ(parameter->role, phase == Phase::kTask ? ParameterRole::kForward : ParameterRole::kBackward) << name;
        ++moved;
      }
    }
    EXPECT_GE(moved, 5);
  }
}

// Sign symmetry is feedback alignment with another backward weight.
TEST(SignSymmetry, IsTheBackwardWeightThatItSaysItIs) {
  Parameters sign_parameters, own_parameters;
  const Graph signs = step_of({"sign_symmetry_uniform", kRecurrent}, sign_parameters, DType::kFloat64, "none");
  const Graph own = step_of({"feedback_alignment", kRecurrent}, own_parameters, DType::kFloat64, "none");
  own_parameters.initialise(2);
  for (const Parameter& parameter : own_parameters.all()) {
    const auto backward = own_parameters.tensors().find(backward_weight_name(parameter.name));
    if (backward == own_parameters.tensors().end()) continue;
    const std::span<const double> w = own_parameters.tensors().at(parameter.name).values<double>();
    double sum = 0.0;
    for (double v : w) sum += v * v;
    const double rms = std::sqrt(sum / static_cast<double>(w.size()));
    for (std::size_t i = 0; i < w.size(); ++i) backward->second.values<double>()[i] = w[i] > 0 ? rms : -rms;
  }
  const Trained expected = train(own, own_parameters, {.threads = 1, .passes = "none"}, 1);
  const Trained actual = train(signs, sign_parameters, {.threads = 1, .passes = "none"}, 1);
  for (const auto& [name, tensor] : actual.states) {
    // The root mean square is summed in another order: a few epsilon.
    EXPECT_TRUE(near(tensor.view(), expected.states.at(name).view(), {.relative = 1e-13, .absolute = 1e-15})) << name;
  }
}

TEST(SignSymmetry, DrawsMagnitudesAnewOrKeepsThem) {
  for (const auto& [rule, changes] :
       {std::pair{"sign_symmetry_batch_random", true}, {"sign_symmetry_fixed_random", false}}) {
    Parameters parameters;
    const Graph step = step_of({rule, kFeedforward}, parameters, DType::kFloat64, "none");
    parameters.initialise(2);
    std::vector<Tensor> gradients;
    for (int draw : {1, 2}) {
      std::map<std::string, Tensor> states;
      for (const auto& [name, tensor] : parameters.tensors()) states[name] = tensor.clone();
      Program program(step, {.threads = 1, .passes = "none"});
      program.bind_all(states);
      if (program.graph().inputs().contains("draw")) *program.input("draw").as<std::int32_t>() = draw;
      *program.input("learning_rate").as<double>() = 0.1;
      for (std::int64_t i = 0; i < program.input("image").elements(); ++i) {
        program.input("image").as<double>()[i] = std::sin(static_cast<double>(i));
      }
      for (std::int32_t i = 0; i < 3; ++i) program.input("label").as<std::int32_t>()[i] = i;
      program.run();
      gradients.push_back(states.at("optimizer/velocity/conv1/conv/weight").clone());
    }
    EXPECT_EQ(!bit_equal(gradients[0].view(), gradients[1].view()), changes) << rule;
  }
}

// One hidden layer by hand: dW1 = x^T ((D e) f'(h)), whatever W2 is.
TEST(DirectFeedbackAlignment, SendsTheErrorOfTheOutputPastTheLayers) {
  constexpr const char* kNetwork = R"({"image": [1, 1, 3], "steps": 1, "feedforward_delay": 0, "layers": [
    {"name": "hidden", "pre": [{"op": "flatten"}, {"op": "linear", "units": 4, "bias": false}, "tanh"]},
    {"name": "readout", "pre": [{"op": "linear", "units": 2, "bias": false}]}]})";
  Network network = network_of(kNetwork);
  Parameters parameters;
  const Graph loss = build_loss(network, parameters, 1, {.dtype = DType::kFloat64});
  Learning learning;
  learning.rule = rule_of("dfa").rule;
  const Graph step = build_learning_step(loss, parameters, learning, {.task_optimizer = {.rule = Sgd{}}});
  parameters.initialise(3);
  std::map<std::string, Tensor>& states = parameters.tensors();
  const Tensor w1 = states.at("hidden/linear/weight").clone(), w2 = states.at("readout/linear/weight").clone();
  const std::string name = direct_feedback_name("readout/linear/weight");
  ASSERT_TRUE(states.contains(name));
  EXPECT_FALSE(states.contains(direct_feedback_name("hidden/linear/weight")));  // it receives the image
  const Tensor d = states.at(name).clone();
  Program program(step, {.threads = 1});
  program.bind_all(states);
  const double x[3] = {0.4, -1.1, 0.7};
  std::copy_n(x, 3, program.input("image").as<double>());
  *program.input("label").as<std::int32_t>() = 1;
  *program.input("learning_rate").as<double>() = 1.0;
  program.run();
  double h[4], z[2] = {0, 0}, e[2];
  for (int j = 0; j < 4; ++j) {
    double sum = 0;
    for (int i = 0; i < 3; ++i) sum += x[i] * w1.values<double>()[static_cast<std::size_t>(i * 4 + j)];
    h[j] = std::tanh(sum);
    for (int k = 0; k < 2; ++k) z[k] += h[j] * w2.values<double>()[static_cast<std::size_t>(j * 2 + k)];
  }
  const double total = std::exp(z[0]) + std::exp(z[1]);
  for (int k = 0; k < 2; ++k) e[k] = std::exp(z[k]) / total - (k == 1 ? 1.0 : 0.0);
  for (int j = 0; j < 4; ++j) {
    const double sent = e[0] * d.values<double>()[static_cast<std::size_t>(j)] +
                        e[1] * d.values<double>()[static_cast<std::size_t>(4 + j)];
    for (int i = 0; i < 3; ++i) {
      const auto at = static_cast<std::size_t>(i * 4 + j);
      const double moved = w1.values<double>()[at] - states.at("hidden/linear/weight").values<double>()[at];
      EXPECT_NEAR(moved, x[i] * sent * (1 - h[j] * h[j]), 1e-14);
    }
    for (int k = 0; k < 2; ++k) {
      const auto at = static_cast<std::size_t>(j * 2 + k);
      const double moved = w2.values<double>()[at] - states.at("readout/linear/weight").values<double>()[at];
      EXPECT_NEAR(moved, h[j] * e[k], 1e-14);
    }
  }
}

}  // namespace
}  // namespace chiasm::test

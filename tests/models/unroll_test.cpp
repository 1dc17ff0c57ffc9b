// SPDX-License-Identifier: Apache-2.0
#include "models/unroll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/ops.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/reduction/mean.h"
#include "tests/support/compare.h"
#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

TEST(Unroll, FollowsTheSpecWithFeedbackAndImageOff) {
  const Network network = network_of(R"({
    "image": [1, 1, 1], "steps": 6, "image_off": 2, "blank": 0.5, "readout": "out",
    "layers": [
      {"name": "L1", "pre": [{"op": "conv", "channels": 1, "kernel": 1}]},
      {"name": "L2", "pre": [{"op": "conv", "channels": 1, "kernel": 1}]},
      {"name": "L3", "cell": {"type": "time_decay"}},
      {"name": "out", "pre": [{"op": "flatten"}]}
    ], "connections": [{"source": "L3", "target": "L2"}]})");
  RunningNetwork run(network, 1);
  run.set("L1/conv/weight", {1.0});
  run.set("L1/conv/bias", {1.0});
  run.set("L2/conv/weight", {2.0, 0.1});  // feedforward channels first
  run.set("L2/conv/bias", {0.5});
  run.set("L3/cell/lambda", {0.5});
  *static_cast<double*>(run.program->input("image").data()) = 1.0;
  run.program->run();
  const double l1[] = {2, 2, 1.5, 1.5, 1.5, 1.5};
  const double l2[] = {0.5, 4.5, 4.55, 3.975, 4.1925, 4.24375};
  const double l3[] = {0, 0.5, 4.75, 6.925, 7.4375, 7.91125};
  for (int t = 0; t < 6; ++t) {
    EXPECT_NEAR(value_at(run.at("L1", t), 0), l1[t], 1e-12) << t;
    EXPECT_NEAR(value_at(run.at("L2", t), 0), l2[t], 1e-12) << t;
    EXPECT_NEAR(value_at(run.at("L3", t), 0), l3[t], 1e-12) << t;
  }
}

// Three layers, the upper two recurrent, with long-range feedback and resizing; small enough for finite differences.
const char* const kConvRnn = R"({
  "image": [6, 5, 2], "steps": 6, "image_off": 4, %s
  "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 3, "kernel": 3, "bias_init": 0.1}, "elu"],
     "post": [{"op": "max_pool", "size": 2}]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 4, "kernel": 3, "bias_init": -0.1}],
     "cell": {"type": "rgc", "cell_channels": 2, "tau": {"kernel": 3, "separable": true},
              "gate": {"kernel": 2, "separable": false}, "bias_init": 0.05}},
    {"name": "conv3", "pre": [{"op": "conv", "channels": 3, "kernel": 2, "bias_init": 0.2}, "elu"],
     "cell": {"type": "rgc_shallow"}, "post": [{"op": "max_pool", "size": 2}]},
    {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 3}]}
  ],
  "connections": [{"source": "conv3", "target": "conv2"}, {"source": "conv3", "target": "conv1", "delay": 2}]})";

Network conv_rnn(const std::string& extra = "") {
  std::string json = kConvRnn;
  return network_of(json.replace(json.find("%s"), 2, extra));
}

void fill_image(const MutableView& view) {
  double* x = view.as<double>();
  for (std::int64_t i = 0; i < view.elements(); ++i) x[i] = std::sin(0.7 * static_cast<double>(i)) + 0.1;
}

struct Training {
  Parameters parameters;
  std::optional<Program> program;
  std::vector<std::string> names;

  explicit Training(const Network& network, const std::string& passes = "all",
                    ProgramOptions options = {.threads = 1}) {
    Graph graph;
    const Scope scope(graph, parameters, {.dtype = DType::kFloat64, .untied = network.untied_rule()});
    const Value image = graph.input("image", Spec{DType::kFloat64, {2, 6, 5, 2}});
    const Value label = graph.input("label", Spec{DType::kInt32, {2}});
    const Value logits = unroll(network.graph, network.presentation, scope, image).logits.back();
    const Value loss = graph.apply(Mean{}, {graph.apply(CrossEntropy{}, {logits, label})});
    std::vector<Value> weights;
    for (const Parameter& p : parameters.all()) {
      if (p.role != ParameterRole::kForward) continue;
      names.push_back(p.name);
      weights.push_back(graph.state(p.name, p.spec));
    }
    const std::vector<Value> g = gradients(loss, weights);
    graph.output("loss", loss);
    for (std::size_t i = 0; i < names.size(); ++i) graph.output("gradient " + names[i], g[i]);
    parameters.initialise(1);
    options.passes = passes;
    program.emplace(graph, options);
    program->bind_all(parameters.tensors());
    fill_image(program->input("image"));
    program->input("label").as<std::int32_t>()[1] = 2;
  }
  double loss() {
    program->run();
    return *program->output("loss").as<double>();
  }
};

// Central differences with step h are off by about h^2 f''' / 6 and epsilon / h: 1e-9 here; 1e-7 leaves room for f'''.
TEST(Unroll, GradientsOfAConvRnnAgreeWithDifferences) {
  Training training(conv_rnn());
  training.loss();
  std::map<std::string, Tensor> analytic;
  for (const std::string& name : training.names) {
    const View g = training.program->output("gradient " + name);
    analytic[name] = Tensor::of<double>(g.shape(), {g.as<double>(), static_cast<std::size_t>(g.elements())});
    EXPECT_TRUE(not_vacuous(g)) << name;
  }
  constexpr double kStep = 1e-5;
  for (const std::string& name : training.names) {
    const std::span<double> w = training.parameters.tensors()[name].values<double>();
    for (std::size_t k = 0; k < w.size(); ++k) {
      const double kept = w[k];
      w[k] = kept + kStep;
      const double above = training.loss();
      w[k] = kept - kStep;
      const double below = training.loss();
      w[k] = kept;
      ASSERT_NEAR(analytic[name].values<double>()[k], (above - below) / (2 * kStep), 1e-7) << name << " " << k;
    }
  }
}

TEST(Unroll, PassesChangeNothing) {
  Training plain(conv_rnn(), "none");
  const double loss = plain.loss();
  for (const char* passes : {"prune", "share", "all"}) {
    Training compiled(conv_rnn(), passes);
    EXPECT_EQ(compiled.loss(), loss) << passes;
    for (const std::string& name : plain.names) {
      EXPECT_TRUE(
          near(compiled.program->output("gradient " + name), plain.program->output("gradient " + name), {1e-12, 0}))
          << passes << " " << name;
    }
    EXPECT_LT(compiled.program->plan().order.size(), plain.program->plan().order.size());
  }
}

TEST(Unroll, UntiedWeightsOfEqualValueGiveTheSameBits) {
  Training tied(conv_rnn());
  Training untied(conv_rnn(R"("backward_weights": "untied",)"));
  int backward = 0;
  for (auto& [name, tensor] : untied.parameters.tensors()) {
    if (!name.ends_with("_backward")) continue;
    ++backward;
    const std::string forward = name.substr(0, name.size() - std::string("_backward").size());
    std::copy_n(untied.parameters.tensors()[forward].values<double>().begin(), tensor.elements(),
                tensor.values<double>().begin());
  }
  EXPECT_GT(backward, 15);  // every convolution, also inside the cells, and the readout
  EXPECT_EQ(untied.loss(), tied.loss());
  for (const std::string& name : tied.names) {
    EXPECT_TRUE(bit_equal(untied.program->output("gradient " + name), tied.program->output("gradient " + name)))
        << name;
  }
}

// Moving one backward weight changes gradients below its layer; the loss and the layer's own weight gradient in the
// last step's product stay. The readout's backward weight is read once, so its own gradient must not move at all.
TEST(Unroll, UntiedBackwardWeightIsReadByTheInputGradientOnly) {
  Training training(conv_rnn(R"("backward_weights": ["readout"],)"));
  const double loss = training.loss();
  const auto gradient = [&](const std::string& name) {
    const View g = training.program->output("gradient " + name);
    return Tensor::of<double>(g.shape(), {g.as<double>(), static_cast<std::size_t>(g.elements())});
  };
  const Tensor own = gradient("readout/linear/weight"), below = gradient("conv1/conv/weight");
  // Not the same for every class: the errors of a softmax sum to zero.
  double shift = 0.0;
  for (double& b : training.parameters.tensors()["readout/linear/weight_backward"].values<double>()) b += shift += 0.1;
  EXPECT_EQ(training.loss(), loss);
  EXPECT_TRUE(bit_equal(gradient("readout/linear/weight").view(), own.view()));
  EXPECT_FALSE(near(gradient("conv1/conv/weight").view(), below.view(), {1e-6, 0}));
}

// conv_l first depends on the image at the sum of the delays that lead to it, and the last readout only on early
// frames.
TEST(Unroll, ImagesArriveWithTheDelays) {
  const Network network = conv_rnn();
  EXPECT_EQ(network.graph.arrival_steps(), (std::vector<int>{0, 1, 2, 3}));
  RunningNetwork run(network, 1);
  const auto outputs = [&](double shift) {
    run.show(shift);
    run.run();
    std::map<std::string, Tensor> values;
    for (const Layer& layer : network.graph.layers) {
      for (int t = 0; t < 6; ++t) values[layer.name + "/" + std::to_string(t)] = run.copy_of(layer.name, t);
    }
    return values;
  };
  const auto a = outputs(0.0), b = outputs(0.5);
  const std::vector<int> arrival = network.graph.arrival_steps();
  for (std::size_t i = 0; i < arrival.size(); ++i) {
    for (int t = 0; t < 6; ++t) {
      const std::string name = network.graph.layers[i].name + "/" + std::to_string(t);
      const bool same = static_cast<bool>(bit_equal(a.at(name).view(), b.at(name).view()));
      if (t < arrival[i]) {
        EXPECT_TRUE(same) << name;
      } else if (t == arrival[i]) {
        EXPECT_FALSE(same) << name;
      }
    }
  }
  // Bias-driven before arrival, not zero (spec 1.4).
  EXPECT_NE(*a.at("conv3/0").values<double>().data(), 0.0);
}

TEST(Unroll, DelaysBeyondOneStepHoldOutputsInFlight) {
  const auto l2 = [](int delay) {
    Network n = network_of(R"({"image": [1, 1, 1], "steps": 5, "readout": "b", "layers": [
      {"name": "a", "pre": [{"op": "conv", "channels": 1, "kernel": 1, "bias_init": 0.5}]},
      {"name": "b", "delay": )" +
                           std::to_string(delay) + R"(, "pre": [{"op": "flatten"}]}]})");
    RunningNetwork run(n, 1);
    run.set("a/conv/weight", {3.0});
    *static_cast<double*>(run.program->input("image").data()) = 1.0;
    run.program->run();
    std::vector<double> values;
    for (int t = 0; t < 5; ++t) values.push_back(value_at(run.at("b", t), 0));
    return values;
  };
  EXPECT_EQ(l2(0), (std::vector<double>{3.5, 3.5, 3.5, 3.5, 3.5}));
  EXPECT_EQ(l2(1), (std::vector<double>{0, 3.5, 3.5, 3.5, 3.5}));
  EXPECT_EQ(l2(3), (std::vector<double>{0, 0, 0, 3.5, 3.5}));
}

TEST(TemporalGraph, RefusesWhatCannotBe) {
  const std::string layers = R"("layers": [{"name": "a", "pre": [{"op": "conv", "channels": 1}]},
    {"name": "b", "pre": [{"op": "conv", "channels": 1}]}, {"name": "c", "pre": [{"op": "flatten"}]}])";
  const std::string head = R"({"image": [4, 4, 1], "steps": 5, )";
  EXPECT_EQ(refusal_of(head + layers + "}"), "accepted");
  EXPECT_THAT(
      refusal_of(head + layers +
                 R"(, "connections": [{"source": "b", "target": "a", "delay": 0}, {"source": "a", "target": "b"}]})"),
      testing::HasSubstr("given twice"));
  EXPECT_THAT(refusal_of(head + R"("layers": [{"name": "a", "pre": [{"op": "conv", "channels": 1}]},
    {"name": "b", "delay": 0, "pre": [{"op": "conv", "channels": 1}]}, {"name": "c", "pre": [{"op": "flatten"}]}],
    "connections": [{"source": "b", "target": "a", "delay": 0}]})"),
              testing::HasSubstr("cycle of connections with delay 0: a, b"));
  EXPECT_THAT(refusal_of(head + layers + R"(, "connections": [{"source": "z", "target": "a"}]})"),
              testing::HasSubstr("no layer \"z\""));
  EXPECT_THAT(refusal_of(head + layers + R"(, "connections": [{"source": "b", "target": "a", "delay_ms": 15}]})"),
              testing::HasSubstr("not a whole number of steps of 10"));
  EXPECT_THAT(refusal_of(R"({"image": [4, 4, 1], "steps": 2, )" + layers + "}"),
              testing::HasSubstr("reaches the readout"));
  EXPECT_THAT(
      refusal_of(
          head +
          R"("layers": [{"name": "a", "pre": [{"op": "conv", "channels": 1, "kernel": 9, "padding": "valid"}]}]})"),
      testing::HasSubstr("layer \"a\""));
  EXPECT_THAT(refusal_of(head + R"("layers": [{"name": "a", "pre": [{"op": "conv", "channels": 1}]}]})"),
              testing::HasSubstr("one number per class"));
  EXPECT_EQ(delay_in_steps(30.0, 10.0, "x"), 3);
  EXPECT_THROW(delay_in_steps(-10.0, 10.0, "x"), InputError);
  EXPECT_THROW(delay_in_steps(std::nan(""), 10.0, "x"), InputError);
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "models/unroll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/tasks/task.h"
#include "tests/support/file_corpus.h"
#include "tests/support/running_network.h"
#include "tests/support/training.h"

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

TEST(Unroll, GradientsOfAConvRnnAgreeWithDifferences) { expect_gradients_agree_with_differences(conv_rnn()); }

TEST(Unroll, PassesChangeNothing) {
  LossAndGradients plain(conv_rnn(), "none");
  const double loss = plain.loss();
  for (const char* passes : {"prune", "share", "all"}) {
    LossAndGradients compiled(conv_rnn(), passes);
    EXPECT_EQ(compiled.loss(), loss) << passes;
    for (const std::string& name : plain.names) {
      EXPECT_TRUE(near(compiled.gradient(name), plain.gradient(name), {1e-12, 0})) << passes << " " << name;
    }
    EXPECT_LT(compiled.program->plan().order.size(), plain.program->plan().order.size());
  }
}

TEST(Unroll, UntiedWeightsOfEqualValueGiveTheSameBits) {
  expect_untied_equal_to_tied(conv_rnn(R"("backward_weights": "untied",)"), conv_rnn());
}

// Moving one backward weight changes gradients below its layer; the loss and the layer's own weight gradient in the
// last step's product stay. The readout's backward weight is read once, so its own gradient must not move at all.
TEST(Unroll, UntiedBackwardWeightIsReadByTheInputGradientOnly) {
  LossAndGradients training(conv_rnn(R"("backward_weights": ["readout"],)"));
  const double loss = training.loss();
  const Tensor own = copy_of(training.gradient("readout/linear/weight"));
  const Tensor below = copy_of(training.gradient("conv1/conv/weight"));
  // Not the same for every class: the errors of a softmax sum to zero.
  double shift = 0.0;
  for (double& b : training.parameters.tensors()["readout/linear/weight_backward"].values<double>()) b += shift += 0.1;
  EXPECT_EQ(training.loss(), loss);
  EXPECT_TRUE(bit_equal(training.gradient("readout/linear/weight"), own.view()));
  EXPECT_FALSE(near(training.gradient("conv1/conv/weight"), below.view(), {1e-6, 0}));
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
  const Network map = network_of(head + R"("layers": [{"name": "a", "pre": [{"op": "conv", "channels": 1}]}]})");
  EXPECT_THAT(error_of<InputError>([&] { classification()->check(map); }), testing::HasSubstr("one number per class"));
  EXPECT_EQ(delay_in_steps(30.0, 10.0, "x"), 3);
  EXPECT_THROW(delay_in_steps(-10.0, 10.0, "x"), InputError);
  EXPECT_THROW(delay_in_steps(std::nan(""), 10.0, "x"), InputError);
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// Layers that add their sources, and cells that start from a state of their own.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/optimizer.h"
#include "models/tasks/classification/graphs.h"
#include "tests/support/compare.h"
#include "tests/support/file_corpus.h"
#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;

std::string two_streams(const std::string& sum) {
  return R"({"image": [1, 1, 1], "steps": 1, "feedforward_delay": 0, "layers": [
    {"name": "left", "input": "image", "pre": [{"op": "conv", "channels": 1, "kernel": 1}, "relu"]},
    {"name": "right", "input": "image", "pre": [{"op": "conv", "channels": 1, "kernel": 1}, "relu"]},
    {"name": "deep", "input": "left", "join": "sum", "pre": [)" +
         sum + R"(]},
    {"name": "readout", "pre": [{"op": "flatten"}]}],
    "connections": [{"source": "right", "target": "deep", "delay": 0}]})";
}

// spec/mouse_vision.md section 11, 4: branches that bring -1 and 2 before their own rectification add up to 2;
// rectified after the sum they would be 1.
TEST(JoinSum, AddsWhatEachSourceMade) {
  RunningNetwork network(network_of(two_streams("")));
  network.set("left/conv/weight", {0.0});
  network.set("left/conv/bias", {-1.0});
  network.set("right/conv/weight", {0.0});
  network.set("right/conv/bias", {2.0});
  network.show();
  network.run();
  EXPECT_EQ(*network.at("deep", 0).as<double>(), 2.0);
}

TEST(JoinSum, RefusesOtherNumbersOfChannels) {
  std::string other = two_streams("");
  const std::string from = R"("right", "input": "image", "pre": [{"op": "conv", "channels": 1)";
  other.replace(other.find(from), from.size(), R"("right", "input": "image", "pre": [{"op": "conv", "channels": 3)");
  EXPECT_THAT(refusal_of(other),
              testing::AllOf(HasSubstr("\"deep\""), HasSubstr("[1, 1, 1] and [1, 1, 3]"), HasSubstr("channels")));
}

std::string recurrent(const std::string& state) {
  return R"({"image": [4, 4, 2], "steps": 3, "layers": [
    {"name": "a", "cell": {"type": "lstm", "kernel": 3})" +
         state + R"(},
    {"name": "readout", "delay": 0, "pre": [{"op": "flatten"}, {"op": "linear", "units": 2}]}]})";
}

// A learned state starts at zero, where it changes nothing, has a parameter for each of c and h, and is trained.
TEST(LearnedState, StartsAtZeroAndIsTrained) {
  RunningNetwork zero(network_of(recurrent(""))), learned(network_of(recurrent(R"(, "initial_state": "learned")")));
  for (RunningNetwork* network : {&zero, &learned}) {
    network->show();
    network->run();
  }
  EXPECT_TRUE(near(learned.at("readout", 2), zero.at("readout", 2), {0.0, 0.0}));
  EXPECT_EQ(learned.parameters.count() - zero.parameters.count(), 2 * 4 * 4 * 2);

  Parameters parameters;
  Program step(build_training_step(network_of(recurrent(R"(, "initial_state": "learned")")), parameters, 2,
                                   {.rule = Sgd{}}, {.dtype = DType::kFloat64}),
               {.threads = 1});
  parameters.initialise(1);
  step.bind_all(parameters.tensors());
  for (int i = 0; i < 64; ++i) step.input("image").as<double>()[i] = 0.1 * (i % 7);
  *step.input("learning_rate").as<double>() = 0.1;
  step.run();
  for (const char* name : {"a/cell/initial_state_0", "a/cell/initial_state_1"}) {
    const Tensor& state = parameters.tensors().at(name);
    EXPECT_EQ(state.shape(), (Shape{4, 4, 2}));
    EXPECT_TRUE(std::ranges::any_of(state.values<double>(), [](double v) { return v != 0.0; })) << name;
  }
}

}  // namespace
}  // namespace chiasm::test

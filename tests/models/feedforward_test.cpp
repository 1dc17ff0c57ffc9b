// SPDX-License-Identifier: Apache-2.0
// Networks that run in one step: connections without delay, and layers that join branches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compare.h"
#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

// Two branches of different widths that a layer without stages puts side by side: SqueezeNet's fire module.
std::string fire(const std::string& order) {
  const std::string expand1 =
      R"({"name": "expand1", "input": "squeeze", "pre": [{"op": "conv", "channels": 3, "kernel": 1}]},)";
  const std::string expand3 = R"({"name": "expand3", "input": "squeeze", "pre": [{"op": "conv", "channels": 4}]},)";
  const std::string join = R"({"name": "fire", "input": "expand1"},)";
  std::string layers;
  for (char c : order) layers += c == '1' ? expand1 : c == '3' ? expand3 : join;
  return R"({"image": [6, 5, 2], "steps": 1, "feedforward_delay": 0, "layers": [
    {"name": "squeeze", "pre": [{"op": "conv", "channels": 2, "kernel": 1}, "relu"]},)" +
         layers +
         R"({"name": "out", "input": "fire", "pre": [{"op": "conv", "channels": 2}, {"op": "global_average_pool"}]}],
    "connections": [{"source": "expand3", "target": "fire", "delay": 0}]})";
}

TEST(Feedforward, JoinsBranchesInWhateverOrderTheyAreListed) {
  for (const char* order : {"13j", "31j", "j31", "1j3"}) {
    const Network network = network_of(fire(order));
    const NetworkSummary summary = summarise(network);
    for (const LayerSummary& layer : summary.layers) {
      if (layer.name == "fire") {
        EXPECT_EQ(layer.output, (Shape{6, 5, 7})) << order;
      }
      EXPECT_EQ(layer.arrival_step, 0) << order << " " << layer.name;
    }
    EXPECT_EQ(summary.parameters, (2 * 2 + 2) + (2 * 3 + 3) + (9 * 2 * 4 + 4) + (9 * 7 * 2 + 2)) << order;
    RunningNetwork run(network);
    run.show();
    run.run();
    const View joined = run.at("fire", 0), one = run.at("expand1", 0), three = run.at("expand3", 0);
    ASSERT_TRUE(not_vacuous(one) && not_vacuous(three));
    for (std::int64_t pixel = 0; pixel < 30; ++pixel) {
      for (std::int64_t c = 0; c < 7; ++c) {
        ASSERT_EQ(value_at(joined, 7 * pixel + c),
                  c < 3 ? value_at(one, 3 * pixel + c) : value_at(three, 4 * pixel + c - 3))
            << order << " pixel " << pixel << " channel " << c;
      }
    }
  }
}

TEST(Feedforward, ABranchOfTwoLayersArrivesInTheSameStep) {
  const Network network = network_of(R"({"image": [4, 4, 1], "steps": 1, "feedforward_delay": 0, "layers": [
    {"name": "a", "pre": [{"op": "conv", "channels": 2}]},
    {"name": "join", "input": "a"},
    {"name": "b1", "input": "a", "pre": [{"op": "conv", "channels": 3}]},
    {"name": "b2", "pre": [{"op": "conv", "channels": 5}]},
    {"name": "out", "input": "join", "pre": [{"op": "flatten"}]}],
    "connections": [{"source": "b2", "target": "join", "delay": 0}]})");
  EXPECT_EQ(summarise(network).layers.back().output, (Shape{16 * 7}));
}

// What a layer puts out must not depend on feedback alone: its source has no shape before the layer itself has one.
TEST(Feedforward, RefusesToJoinFeedbackWithoutAConvolution) {
  const Network network = network_of(R"({"image": [4, 4, 1], "steps": 3, "layers": [
    {"name": "a", "pre": [{"op": "conv", "channels": 2}]},
    {"name": "b"},
    {"name": "c", "pre": [{"op": "conv", "channels": 2}]},
    {"name": "out", "input": "a", "pre": [{"op": "global_average_pool"}]}],
    "connections": [{"source": "c", "target": "b"}]})");
  try {
    summarise(network);
    FAIL() << "accepted";
  } catch (const ShapeError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("layer \"b\": its output has shape [4, 4, 4] with all its inputs and "
                                                 "[4, 4, 2] without its feedback"));
  }
}

TEST(Feedforward, DelayIsTheDefaultOfInputsAloneAndALayerMayHaveItsOwn) {
  const std::string rest = R"("layers": [{"name": "a", "pre": [{"op": "conv", "channels": 1}]},
    {"name": "b", "pre": [{"op": "conv", "channels": 1}]},
    {"name": "c", "delay": 2, "pre": [{"op": "conv", "channels": 1}]}, {"name": "out", "pre": [{"op": "flatten"}]}],
    "connections": [{"source": "c", "target": "b"}]})";
  const auto delays = [&](const std::string& key) {
    std::vector<int> result;
    for (const Connection& c : network_of(R"({"image": [4, 4, 1], "steps": 9, )" + key + rest).graph.connections) {
      result.push_back(c.delay_steps);
    }
    return result;
  };
  EXPECT_EQ(delays(""), (std::vector<int>{0, 1, 2, 1, 1}));
  EXPECT_EQ(delays(R"("feedforward_delay": 0, )"), (std::vector<int>{0, 0, 2, 0, 1}));
  EXPECT_EQ(delays(R"("feedforward_delay": 3, )"), (std::vector<int>{0, 3, 2, 3, 1}));
  EXPECT_THAT(refusal_of(R"({"image": [4, 4, 1], "steps": 9, "feedforward_delay": -1, )" + rest),
              testing::HasSubstr("feedforward_delay: found -1"));
}

}  // namespace
}  // namespace chiasm::test

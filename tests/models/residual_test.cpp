// SPDX-License-Identifier: Apache-2.0
// What the shortcut of a residual stage is, on weights and values small enough to follow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compare.h"
#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

// One layer on a 3x3 image of one channel; `stages` come before a readout that passes everything on.
std::string network(const std::string& stages) {
  return R"({"image": [3, 3, 1], "steps": 1, "feedforward_delay": 0, "layers": [
    {"name": "a", "pre": [)" +
         stages + R"(]}, {"name": "out", "pre": [{"op": "flatten"}]}]})";
}

std::vector<double> outputs(RunningNetwork& run) {
  double* image = run.program->input("image").as<double>();
  for (int i = 0; i < 9; ++i) image[i] = i - 4;  // -4 to 4
  run.run();
  const View out = run.at("out", 0);
  return {out.as<double>(), out.as<double>() + out.elements()};
}

const char* const kDown =
    R"({"op": "conv", "channels": 1, "kernel": 1, "stride": 2, "bias": false}, )";  // takes the corners, times a weight

TEST(Residual, AddsTheInputResizedByDefault) {
  RunningNetwork run(network_of(network(std::string(kDown) + R"({"op": "residual"})")));
  run.set("a/conv/weight", {10.0});
  EXPECT_EQ(outputs(run), (std::vector<double>{-44, -22, 22, 44}));  // aligned corners: the corners themselves
  EXPECT_EQ(run.parameters.count(), 1);
}

TEST(Residual, ProjectsTheInputByTheStagesGiven) {
  RunningNetwork run(network_of(
      network(std::string(kDown) +
              R"({"op": "residual", "projection": [{"op": "conv", "channels": 1, "kernel": 1, "stride": 2}]})")));
  run.set("a/conv/weight", {10.0});
  run.set("a/residual/conv/weight", {3.0});
  run.set("a/residual/conv/bias", {0.5});
  EXPECT_EQ(outputs(run), (std::vector<double>{-51.5, -25.5, 26.5, 52.5}));
}

// Pre-activation: the projection sees the output of the first ReLU, a shortcut without one the layer's input.
TEST(Residual, ProjectsAnEarlierStageWhereAsked) {
  const std::string projection =
      R"("projection": [{"op": "conv", "channels": 1, "kernel": 1, "stride": 2, "bias": false}])";
  RunningNetwork from(network_of(
      network("\"relu\", " + std::string(kDown) + R"({"op": "residual", "from": "relu", )" + projection + "}")));
  from.set("a/conv/weight", {10.0});
  from.set("a/residual/conv/weight", {3.0});
  EXPECT_EQ(outputs(from), (std::vector<double>{0, 0, 26, 52}));
  RunningNetwork raw(
      network_of(network("\"relu\", " + std::string(kDown) + R"({"op": "residual", )" + projection + "}")));
  raw.set("a/conv/weight", {10.0});
  raw.set("a/residual/conv/weight", {3.0});
  EXPECT_EQ(outputs(raw), (std::vector<double>{-12, -6, 26, 52}));
}

TEST(Residual, TakesTheSecondStageOfANameByItsNumber) {
  RunningNetwork run(network_of(network(
      R"("relu", {"op": "conv", "channels": 1, "kernel": 1, "bias": false}, "relu",
         {"op": "residual", "from": "relu_2", "projection": ["identity"]})")));
  run.set("a/conv/weight", {-1.0});  // nothing is left after the second ReLU
  for (double v : outputs(run)) EXPECT_EQ(v, 0.0);
}

TEST(Residual, SaysWhatIsWrong) {
  const std::string projection = R"("projection": [{"op": "conv", "channels": 1, "kernel": 1}])";
  EXPECT_THAT(refusal_of(network(std::string(kDown) + R"({"op": "residual", )" + projection + "}")),
              testing::HasSubstr("the projection puts out [1, 3, 3, 1] and the stages before it [1, 2, 2, 1]"));
  EXPECT_THAT(refusal_of(network(R"("relu", {"op": "residual", "from": "elu", )" + projection + "}")),
              testing::HasSubstr("\"from\" names \"elu\", which is no stage of this layer before the residual one; "
                                 "allowed: relu"));
  EXPECT_THAT(refusal_of(network(R"("relu", {"op": "residual", "from": "relu"})")),
              testing::HasSubstr("\"from\" says what a \"projection\" is applied to, and none is given"));
  EXPECT_THAT(refusal_of(network(R"({"op": "flatten"}, {"op": "residual"})")),
              testing::HasSubstr("cannot add the layer's input [1, 3, 3, 1] to [1, 9]"));
}

}  // namespace
}  // namespace chiasm::test

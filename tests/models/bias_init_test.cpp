// SPDX-License-Identifier: Apache-2.0
// How the biases of linear and convolution stages start.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/network.h"
#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string network_with(const std::string& stage, const std::string& init) {
  return R"({"image": [4, 4, 2], "steps": 1, "feedforward_delay": 0, "layers": [{"name": "a", "pre": [)" + stage +
         ", " + R"("bias_init": )" + init + R"(}, {"op": "flatten"}]}]})";
}
const std::string kConv = R"({"op": "conv", "channels": 4096, "kernel": 3)";
const std::string kSeparable = R"({"op": "conv", "channels": 4096, "kernel": 3, "separable": true)";
const std::string kLinear = R"({"op": "flatten"}, {"op": "linear", "units": 4096)";

std::vector<float> biases(const std::string& stage, const std::string& init) {
  Parameters parameters;
  declare_parameters(network_of(network_with(stage, init)), parameters);
  parameters.initialise(1);
  const Tensor& bias = parameters.tensors().at(stage == kLinear ? "a/linear/bias" : "a/conv/bias");
  return {bias.values<float>().begin(), bias.values<float>().end()};
}

double deviation(const std::vector<float>& values) {
  double squares = 0.0;
  for (float v : values) squares += static_cast<double>(v) * v;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

TEST(BiasInit, IsANumberOrAnInitialiser) {
  // Of 4096 draws the standard deviation has a relative standard error of at most 1 / sqrt(2 * 4096) = 1.1 %; 6 % is
  // more than five of them.
  for (const std::string& stage : {kConv, kSeparable, kLinear}) {
    EXPECT_THAT(biases(stage, "0.25"), testing::Each(0.25f));
    EXPECT_THAT(biases(stage, R"({"type": "constant", "value": -1})"), testing::Each(-1.0f));
    EXPECT_NEAR(deviation(biases(stage, R"({"type": "normal", "std": 0.03})")), 0.03, 0.06 * 0.03);
  }
}

// Fans are those of the weight: of a separable convolution, of its pointwise kernel.
TEST(BiasInit, TakesTheFansOfTheWeight) {
  const std::string init = R"({"type": "variance_scaling", "scale": 1})";
  for (const auto& [stage, fan_in] : {std::pair(kConv, 18.0), std::pair(kSeparable, 2.0), std::pair(kLinear, 32.0)}) {
    const double expected = 1.0 / std::sqrt(fan_in);
    EXPECT_NEAR(deviation(biases(stage, init)), expected, 0.06 * expected) << stage;
  }
}

TEST(BiasInit, IsNotTheDrawOfTheWeight) {
  Parameters parameters;
  declare_parameters(
      network_of(network_with(
          R"({"op": "flatten"}, {"op": "linear", "units": 32, "kernel_init": {"type": "normal", "std": 1})",
          R"({"type": "normal", "std": 1})")),
      parameters);
  parameters.initialise(1);
  const auto weight = parameters.tensors().at("a/linear/weight").values<float>();
  const auto bias = parameters.tensors().at("a/linear/bias").values<float>();
  EXPECT_FALSE(std::equal(bias.begin(), bias.end(), weight.begin()));
}

TEST(BiasInit, RefusesWhatIsNeither) {
  EXPECT_THAT(refusal_of(network_with(kLinear, "true")), HasSubstr("bias_init"));
  EXPECT_THAT(refusal_of(network_with(kConv, R"({"type": "normal", "std": -1})")),
              AllOf(HasSubstr("bias_init"), HasSubstr("std")));
}

}  // namespace
}  // namespace chiasm::test

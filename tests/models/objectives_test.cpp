// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/program.h"
#include "models/network.h"
#include "models/objectives/objective.h"
#include "models/tasks/classification/graphs.h"
#include "tests/support/compare.h"
#include "tests/support/op_checks.h"
#include "tests/support/running_network.h"
#include "tests/support/training.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<double> kLogits{1.5, -0.25, 3.0, -40.0};

// From the definitions, in the plain form that loses digits only for the last class.
double softmax_loss(std::size_t label) {
  double sum = 0.0;
  for (double z : kLogits) sum += std::exp(z);
  return std::log(sum) - kLogits[label];
}
double sigmoid_loss(std::size_t label) {
  double sum = -kLogits[label];
  for (double z : kLogits) sum += std::log1p(std::exp(z));
  return sum;
}

TEST(Objectives, FollowTheirDefinitions) {
  for (std::size_t label = 0; label < kLogits.size(); ++label) {
    const auto at = static_cast<std::int32_t>(label);
    EXPECT_NEAR(softmax_cross_entropy().loss(kLogits, at), softmax_loss(label), 1e-12);
    EXPECT_NEAR(sigmoid_cross_entropy().loss(kLogits, at), sigmoid_loss(label), 1e-12);
  }
}

TEST(Objectives, ProbabilitiesAreThoseOfTheLoss) {
  const std::vector<double> one_of = softmax_cross_entropy().probabilities(kLogits);
  const std::vector<double> each = sigmoid_cross_entropy().probabilities(kLogits);
  EXPECT_NEAR(std::accumulate(one_of.begin(), one_of.end(), 0.0), 1.0, 1e-14);
  for (std::size_t label = 0; label < kLogits.size(); ++label) {
    EXPECT_NEAR(-std::log(one_of[label]), softmax_cross_entropy().loss(kLogits, static_cast<std::int32_t>(label)),
                1e-12);
    double answers = 0.0;
    for (std::size_t k = 0; k < each.size(); ++k) answers -= std::log(k == label ? each[k] : 1.0 - each[k]);
    EXPECT_NEAR(answers, sigmoid_cross_entropy().loss(kLogits, static_cast<std::int32_t>(label)), 1e-12);
  }
}

std::string network_with(const std::string& more) {
  return R"({"image": [3, 2, 1], "steps": 2, "feedforward_delay": 0, )" + more + R"("layers": [
    {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 4, "bias_init": 0.3}]}]})";
}

// What the graph computes for two images, of each decoder's kind of loss, is the mean of the objective's own numbers.
TEST(Objectives, TheLossOfANetworkIsTheirMean) {
  for (const char* objective : {"softmax_cross_entropy", "sigmoid_cross_entropy"}) {
    for (const char* decoder : {"last", "all"}) {
      const Network network = network_of(
          network_with("\"objective\": \"" + std::string(objective) + "\", \"decoder\": \"" + decoder + "\", "));
      EXPECT_EQ(network.objective.name, objective);
      Parameters parameters;
      Program program(build_loss(network, parameters, 2, {.dtype = DType::kFloat64}), {.threads = 1});
      parameters.initialise(4);
      program.bind_all(parameters.tensors());
      const std::int32_t labels[] = {3, 1};
      for (int i = 0; i < 12; ++i) set_value(program.input("image"), i, std::sin(1.0 + i));
      for (int n = 0; n < 2; ++n) program.input("label").as<std::int32_t>()[n] = labels[n];
      program.run();
      const View logits = program.output("logits");
      double expected = 0.0;
      for (int n = 0; n < 2; ++n) expected += 0.5 * network.objective.loss({logits.as<double>() + 4 * n, 4}, labels[n]);
      EXPECT_NEAR(value_at(program.output("loss"), 0), expected, 1e-13) << objective << ", " << decoder;
    }
  }
}

TEST(Objectives, GradientsAgreeWithDifferences) {
  expect_gradients_agree_with_differences(network_of(network_with(R"("objective": "sigmoid_cross_entropy", )")));
}

TEST(Objectives, AreReadByName) {
  EXPECT_EQ(network_of(network_with("")).objective.name, "softmax_cross_entropy");
  EXPECT_THAT(refusal_of(network_with(R"("objective": "hinge", )")),
              AllOf(HasSubstr("objective"), HasSubstr("hinge"), HasSubstr("sigmoid_cross_entropy")));
}

}  // namespace
}  // namespace chiasm::test

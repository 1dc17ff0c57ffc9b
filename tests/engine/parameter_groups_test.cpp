// SPDX-License-Identifier: Apache-2.0
#include "engine/parameter_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ops.h"
#include "engine/program.h"
#include "kernels/error.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Parameters network() {
  Parameters parameters;
  for (const char* name : {"conv1/conv/weight", "conv1/conv/bias", "conv1/bn/gamma", "conv2/conv/weight",
                           "conv2/conv/bias", "readout/linear/weight"}) {
    parameters.declare({.name = name, .spec = {DType::kFloat64, {2}}});
  }
  parameters.declare({.name = "conv1/bn/mean", .spec = {DType::kFloat64, {2}}, .role = ParameterRole::kStatistic});
  return parameters;
}

TEST(ParameterGroups, TheFirstThatFitsCounts) {
  const ParameterGroups groups({.weight_decay = 1e-6}, {{.name = "a", .patterns = {"conv2/*"}, .frozen = true},
                                                        {.name = "b", .patterns = {"*/bias", "*bn*"}}});
  groups.check(network());
  EXPECT_EQ(groups.group_of("conv1/conv/bias").name, "b");
  EXPECT_EQ(groups.group_of("conv1/bn/gamma").name, "b");
  EXPECT_TRUE(groups.frozen("conv2/conv/bias"));
  EXPECT_FALSE(groups.frozen("conv1/conv/bias"));
  EXPECT_EQ(groups.group_of("conv1/conv/weight").optimizer.weight_decay, 1e-6);
}

std::string complaint(std::vector<ParameterGroup> groups) {
  try {
    ParameterGroups({}, std::move(groups)).check(network());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(ParameterGroups, APatternThatFitsNothingNamesNearPaths) {
  EXPECT_THAT(complaint({{.name = "groups[0]", .patterns = {"*/bias", "conv9/*"}}}),
              AllOf(HasSubstr("groups[0]"), HasSubstr("\"conv9/*\""), HasSubstr("near it are \"conv1/conv/weight\"")));
  EXPECT_THAT(complaint({{.name = "g", .patterns = {"readout/linaer/weight"}}}),
              AllOf(HasSubstr("near it are \"readout/linear/weight\""), Not(HasSubstr("conv1"))));
  // Statistics are no trained parameters.
  EXPECT_THAT(complaint({{.name = "g", .patterns = {"*mean"}}}),
              AllOf(HasSubstr("\"conv1/conv/weight\""), HasSubstr("and 1 more")));
  EXPECT_THAT(complaint({{.name = "g", .patterns = {"conv1/*"}}, {.name = "h", .patterns = {"conv1/bn/*"}}}),
              AllOf(HasSubstr("h: "), HasSubstr("earlier group")));
}

// The norm over one group, not over the others.
TEST(ParameterGroups, LimitGradientsEachForItself) {
  const Optimizer limited{.clip = GradientLimit{.limit = 1.0, .by = GradientLimit::By::kGlobalNorm}};
  const ParameterGroups groups(limited, {{.name = "a", .patterns = {"conv1/conv/*"}, .optimizer = limited},
                                         {.name = "b", .patterns = {"conv2/*"}}});
  const Parameters parameters = network();
  std::vector<Parameter> trained;
  for (const char* name : {"conv1/conv/weight", "conv2/conv/weight", "conv1/conv/bias", "readout/linear/weight"}) {
    trained.push_back(*parameters.find(name));
  }
  Graph graph;
  std::vector<Value> gradients;
  for (const double value : {30.0, 7.0, 40.0, 0.5}) gradients.push_back(fill(graph, {DType::kFloat64, {1}}, value));
  const std::vector<Value> result = groups.limit(trained, gradients);
  for (int i = 0; i < 4; ++i) graph.output(std::to_string(i), result[i]);
  Program program(graph, {.threads = 1});
  program.run();
  const double expected[] = {0.6, 7.0, 0.8, 0.5};
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(*program.output(std::to_string(i)).as<double>(), expected[i], 2e-8) << i;  // 1e-6 beside a norm of 50
  }
}

}  // namespace
}  // namespace chiasm::test

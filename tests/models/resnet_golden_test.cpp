// SPDX-License-Identifier: Apache-2.0
// Narrow versions of the residual networks against an independent implementation: loss, logits and every gradient, in
// PyTorch (tests/oracles/resnet.py, which this file mirrors).
#include <gtest/gtest.h>

#include <cmath>

#include "models/tasks/classification/graphs.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"
#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

constexpr std::int64_t kBatch = 4, kClasses = 10;

// Both sides sum in double in different orders; some fifty normalisations over a few values each, which divide by small
// standard deviations, lie between a weight and the loss. 1e-9 leaves them six digits above 1e-15; a shortcut taken
// from the wrong place or a stride in the wrong convolution changes the first digit.
constexpr double kDouble = 1e-9;

class ResnetGolden : public testing::TestWithParam<const char*> {};

TEST_P(ResnetGolden, LossLogitsAndGradientsAreThoseOfPyTorch) {
  const std::string name = GetParam();
  Config recipe = shipped_recipe(name, {"model.image=[72, 60, 3]"});
  narrow(recipe, 16);
  const Network network = read_network(recipe.root().object("model"));
  Parameters parameters;
  Graph graph = build_loss(network, parameters, kBatch, {.dtype = DType::kFloat64});
  parameters.initialise(0);
  std::vector<std::string> names;
  std::vector<Value> weights;
  for (const Parameter& p : parameters.all()) {
    if (p.role != ParameterRole::kForward) continue;
    const Shape& shape = p.spec.shape;
    const bool gain = p.name.ends_with("/gain");
    const double fan_in = static_cast<double>(shape.elements() / shape[shape.rank() - 1]);
    fill_hashed(parameters.tensors().at(p.name).view(), p.name, shape.rank() < 2 ? 0.3 : std::sqrt(1.5 / fan_in),
                gain ? 1.0 : 0.0);
    names.push_back(p.name);
    weights.push_back(graph.state(p.name, p.spec));
  }
  const std::vector<Value> g = gradients(Value(&graph, graph.outputs().at("loss")), weights);
  for (std::size_t i = 0; i < names.size(); ++i) graph.output("gradient " + names[i], g[i]);
  Program program(graph, {.threads = 1});
  program.bind_all(parameters.tensors());
  fill_hashed(program.input("image"), "image", 2.0);
  for (std::int64_t i = 0; i < kBatch; ++i) {
    program.input("label").as<std::int32_t>()[i] = static_cast<std::int32_t>((7 * i + 3) % kClasses);
  }
  program.run();

  static const Golden golden("resnet");
  EXPECT_TRUE(near(program.output("logits"), golden.at(name + "/logits").view(), {kDouble, 0.0}));
  const double loss = golden.at(name + "/loss").values<double>()[0];
  EXPECT_LE(std::fabs(value_at(program.output("loss"), 0) - loss), kDouble * loss);
  for (const std::string& parameter : names) {
    const auto expected = golden.at(name + "/gradient/" + parameter).values<double>();
    const auto [product, norm] = sketch(program.output("gradient " + parameter), parameter);
    ASSERT_GT(expected[1], 0.0) << parameter;
    EXPECT_LE(std::fabs(product - expected[0]), kDouble * expected[1]) << parameter;
    EXPECT_LE(std::fabs(norm - expected[1]), kDouble * expected[1]) << parameter;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ResnetGolden,
                         testing::Values("resnet18_v1", "resnet50_v1", "resnet18_v2", "resnet50_v2"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace chiasm::test

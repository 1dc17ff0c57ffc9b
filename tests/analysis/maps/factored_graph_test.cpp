// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored_graph.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops.h"
#include "engine/program.h"
#include "kernels/error.h"
#include "kernels/reduction/sum.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

constexpr FactoredSize kSize{.height = 4, .width = 6, .channels = 3, .units = 4, .batch = 5};

FactoredPenalties penalties_of(const Golden& golden) {
  const auto strength = [&](const char* name) {
    return golden.at("strength/" + std::string(name)).values<double>()[0];
  };
  return {.space_l2 = strength("space_l2"),
          .channels_l2 = strength("channels_l2"),
          .space_l1 = strength("space_l1"),
          .channels_l1 = strength("channels_l1"),
          .smoothness = strength("smoothness"),
          .group = strength("group")};
}

// The loss of each unit and its gradients, as a program.
struct Losses {
  Losses(DType dtype, const FactoredSize& size, const FactoredPenalties& penalties)
      : program(build(dtype, size, penalties)) {
    const Tensor weight(Spec{dtype, {size.batch, 1}});
    for (std::int64_t i = 0; i < size.batch; ++i) {
      visit_floating(
          dtype, [&]<class T>() { const_cast<T*>(weight.values<T>().data())[i] = T(1) / static_cast<T>(size.batch); });
    }
    program.set_input("row_weight", weight.view());
  }
  static Graph build(DType dtype, const FactoredSize& size, const FactoredPenalties& penalties) {
    Graph graph;
    Parameters parameters;
    const Scope scope(graph, parameters, {.dtype = dtype});
    const Value loss = graph.apply(Sum{}, {factored_objective(scope, size, penalties)});
    std::vector<Value> weights;
    for (const Parameter& parameter : parameters.all()) weights.push_back(graph.state(parameter.name, parameter.spec));
    const std::vector<Value> found = gradients(loss, weights);
    for (std::size_t i = 0; i < weights.size(); ++i) graph.output("gradient/" + parameters.all()[i].name, found[i]);
    graph.output("loss", loss);
    return graph;
  }
  double loss() {
    program.run();
    return value_at(program.output("loss"), 0);
  }
  Program program;
};

Tensor as_dtype(const Tensor& from, DType dtype, const Shape& shape) {
  Tensor to(Spec{dtype, shape});
  visit_floating(dtype, [&]<class T>() {
    for (std::int64_t i = 0; i < to.elements(); ++i) to.values<T>()[i] = static_cast<T>(value_at(from.view(), i));
  });
  return to;
}

const std::map<std::string, Shape> kStates = {{"space", {24, 4}}, {"channels", {3, 4}}, {"bias", {4}}};

TEST(FactoredGraph, AgreesWithPyTorch) {
  const Golden golden("factored_map");
  for (const DType dtype : {DType::kFloat64, DType::kFloat32}) {
    Losses losses(dtype, kSize, penalties_of(golden));
    losses.program.set_input("features", as_dtype(golden.at("features"), dtype, {120, 3}).view());
    losses.program.set_input("target", as_dtype(golden.at("target"), dtype, {5, 4}).view());
    for (const auto& [name, shape] : kStates) losses.program.bind(name, as_dtype(golden.at(name), dtype, shape));
    losses.program.run();
    // Sums of at most 120 terms, in another order; the group penalty adds 1e-12 below a root of about 5.
    const Tolerance tolerance = rounding_tolerance(dtype, 16, 120);
    EXPECT_TRUE(near(losses.program.output("objective"), golden.at("loss").view(), tolerance));
    for (const auto& [name, shape] : kStates) {
      const Tensor expected = golden.at("gradient/" + name).reshaped(shape);
      EXPECT_TRUE(near(losses.program.output("gradient/" + name), expected.view(), tolerance)) << name;
      EXPECT_TRUE(not_vacuous(expected.view())) << name;
    }
  }
}

TEST(FactoredGraph, EachPenaltyIsItsTerm) {
  const Golden golden("factored_map");
  const std::map<std::string, double FactoredPenalties::*> fields = {
      {"space_l2", &FactoredPenalties::space_l2},     {"channels_l2", &FactoredPenalties::channels_l2},
      {"space_l1", &FactoredPenalties::space_l1},     {"channels_l1", &FactoredPenalties::channels_l1},
      {"smoothness", &FactoredPenalties::smoothness}, {"group", &FactoredPenalties::group}};
  for (const auto& [name, field] : fields) {
    FactoredPenalties penalties{.space_l2 = 0.0, .channels_l2 = 0.0};
    penalties.*field = 3.0;
    Graph graph;
    Parameters parameters;
    const Scope scope(graph, parameters, {.dtype = DType::kFloat64});
    graph.output("penalty", affine(factored_penalty(scope, kSize, penalties), 1.0 / 3.0, 0.0));
    Program program(graph);
    for (const auto& [state, shape] : kStates) {
      if (graph.states().contains(state)) program.bind(state, golden.at(state).reshaped(shape));
    }
    program.run();
    EXPECT_TRUE(near(program.output("penalty"), golden.at("term/" + name).view(), {1e-12, 0.0})) << name;
  }
}

// Differences in float64: 1e-5 is near the cube root of its rounding, so the error is about the square of the step
// times the third derivative, 1e-9 here, and no weight is within a step of 0, where magnitudes have a corner.
TEST(FactoredGraph, GradientsAreDifferencesOfTheLoss) {
  const FactoredSize size{.height = 3, .width = 4, .channels = 2, .units = 2, .batch = 3};
  Losses losses(
      DType::kFloat64, size,
      {.space_l2 = 0.3, .channels_l2 = 0.2, .space_l1 = 0.1, .channels_l1 = 0.4, .smoothness = 0.05, .group = 0.6});
  losses.program.set_input("features", random_tensor(DType::kFloat64, {36, 2}, 1).view());
  losses.program.set_input("target", random_tensor(DType::kFloat64, {3, 2}, 2).view());
  std::map<std::string, Tensor> states = {{"space", random_tensor(DType::kFloat64, {12, 2}, 3)},
                                          {"channels", random_tensor(DType::kFloat64, {2, 2}, 4)},
                                          {"bias", random_tensor(DType::kFloat64, {2}, 5)}};
  losses.program.bind_all(states);
  constexpr double kStep = 1e-5;
  for (auto& [name, state] : states) {
    losses.loss();
    const View view = losses.program.output("gradient/" + name);
    const std::vector<double> gradient(view.as<double>(), view.as<double>() + state.elements());
    for (std::int64_t i = 0; i < state.elements(); ++i) {
      double& value = state.values<double>()[i];
      const double kept = value;
      ASSERT_GT(std::abs(kept), 2 * kStep);
      value = kept + kStep;
      const double above = losses.loss();
      value = kept - kStep;
      const double below = losses.loss();
      value = kept;
      EXPECT_NEAR(gradient[static_cast<std::size_t>(i)], (above - below) / (2 * kStep), 1e-7) << name << " " << i;
    }
  }
}

// The group penalty at M = 0, where the root has no derivative of its own.
TEST(FactoredGraph, GradientsAtZeroAreFinite) {
  const FactoredSize size{.height = 3, .width = 3, .channels = 2, .units = 1, .batch = 2};
  Losses losses(DType::kFloat32, size, {.space_l1 = 1.0, .smoothness = 1.0, .group = 1.0});
  losses.program.set_input("features", random_tensor(DType::kFloat32, {18, 2}, 1).view());
  losses.program.set_input("target", random_tensor(DType::kFloat32, {2, 1}, 2).view());
  losses.program.bind("space", Tensor::zeros(DType::kFloat32, {9, 1}));
  losses.program.bind("channels", random_tensor(DType::kFloat32, {2, 1}, 3));
  losses.program.bind("bias", Tensor::zeros(DType::kFloat32, {1}));
  EXPECT_TRUE(std::isfinite(losses.loss()));
  EXPECT_TRUE(std::isfinite(value_at(losses.program.output("gradient/space"), 0)));
}

TEST(FactoredGraph, SmoothnessNeedsRoomForTheFilter) {
  EXPECT_THROW(require_fitting({.height = 2, .width = 9}, {.smoothness = 0.1}), InputError);
  EXPECT_NO_THROW(require_fitting({.height = 2, .width = 9}, {}));
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "models/tasks/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "engine/config/config.h"
#include "engine/ops.h"
#include "engine/program.h"
#include "kernels/reduction/mean.h"
#include "models/tasks/correlation.h"
#include "models/tasks/two_views/objective.h"

namespace chiasm {
std::shared_ptr<const ViewObjective> make_simsiam(const ConfigNode& task);

namespace {

struct Pair {
  Graph graph;
  Value a, b;

  explicit Pair(const Shape& shape)
      : a(graph.input("a", {DType::kFloat64, shape})), b(graph.input("b", {DType::kFloat64, shape})) {}

  std::vector<double> run(Value value, const std::vector<double>& a_values, const std::vector<double>& b_values) {
    graph.output("out", value);
    const std::vector<Value> inputs{a};
    graph.output("slope", gradients(value, inputs)[0]);
    program = std::make_unique<Program>(graph, ProgramOptions{.threads = 1});
    std::ranges::copy(a_values, program->input("a").as<double>());
    std::ranges::copy(b_values, program->input("b").as<double>());
    program->run_compute();
    const View out = program->output("out");
    return {out.as<double>(), out.as<double>() + out.elements()};
  }
  std::vector<double> slope() const {
    const View out = program->output("slope");
    return {out.as<double>(), out.as<double>() + out.elements()};
  }

  std::unique_ptr<Program> program;
};

TEST(ArrayLosses, AreWhatTheirFormulasSay) {
  const std::vector<double> y{2.0, 0.5, 3.0, 1.0}, t{1.0, 2.0, 0.0, 1.0};
  const auto losses = [&](ArrayLoss loss) {
    Pair pair({2, 2});
    return pair.run(array_losses(loss, pair.a, pair.b), y, t);
  };
  EXPECT_THAT(losses(ArrayLoss::kSquared), testing::ElementsAre(1.0, 2.25, 9.0, 0.0));
  EXPECT_THAT(losses(ArrayLoss::kAbsolute), testing::ElementsAre(1.0, 1.5, 3.0, 0.0));
  const std::vector<double> poisson = losses(ArrayLoss::kPoisson);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(poisson[i], y[i] - t[i] * std::log(y[i]), 1e-14);
  const std::vector<double> cosine = losses(ArrayLoss::kCosine);
  EXPECT_NEAR(cosine[0], 1.0 - 3.0 / std::sqrt(4.25 * 5.0), 1e-14);
  EXPECT_NEAR(cosine[1], 1.0 - 1.0 / std::sqrt(10.0), 1e-14);
}

// The likelihood of a count is largest at the rate that equals it; rates at or below zero have no slope that explodes.
TEST(ArrayLosses, PoissonIsLeastAtTheTarget) {
  Pair pair({1, 4});
  const std::vector<double> losses =
      pair.run(array_losses(ArrayLoss::kPoisson, pair.a, pair.b), {3.0, 2.0, 4.0, -1.0}, {3.0, 3.0, 3.0, 3.0});
  EXPECT_LT(losses[0], losses[1]);
  EXPECT_LT(losses[0], losses[2]);
  EXPECT_NEAR(pair.slope()[0], 0.0, 1e-15);
  EXPECT_NEAR(pair.slope()[1], 1.0 - 3.0 / 2.0, 1e-15);
  EXPECT_EQ(pair.slope()[3], 0.0);
}

TEST(UnitRows, OfZerosAreZeros) {
  Pair pair({2, 2});
  EXPECT_THAT(pair.run(unit_rows(pair.a), {3.0, 4.0, 0.0, 0.0}, {0, 0, 0, 0}),
              testing::ElementsAre(0.6, 0.8, 0.0, 0.0));
}

// spec/mouse_vision.md section 10. Predictors of a vector are the identity here: p = z.
TEST(SimSiam, IsMinusTheMeanCosineAndHoldsTheOtherViewStill) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat64});
  const Value z1 = graph.input("z1", {DType::kFloat64, {1, 3}}), z2 = graph.input("z2", {DType::kFloat64, {1, 3}});
  const Config config = Config::parse("{}", "test");
  graph.output("loss", make_simsiam(config.root())->loss(scope, z1, z2));
  const std::vector<Value> inputs{z1};
  graph.output("slope", gradients({&graph, graph.outputs().at("loss")}, inputs)[0]);
  Program program(graph, {.threads = 1});
  const double p1[] = {1, 2, 0}, other[] = {1, 1, 0};
  std::ranges::copy(p1, program.input("z1").as<double>());
  std::ranges::copy(other, program.input("z2").as<double>());
  program.run_compute();
  const double cosine = 3.0 / std::sqrt(10.0);
  EXPECT_NEAR(*program.output("loss").as<double>(), -cosine, 1e-14);
  // Only as a prediction does z1 have a slope: of -1/2 cos(z1, z2).
  for (int i = 0; i < 3; ++i) {
    const double slope = -0.5 * (other[i] / std::sqrt(10.0) - cosine * p1[i] / 5.0);
    EXPECT_NEAR(program.output("slope").as<double>()[i], slope, 1e-14);
  }
}

// The vector with four different values: D(p1, z2) and D(p2, z1).
TEST(SimSiam, HasThePublishedVector) {
  const auto similarity = [](const std::vector<double>& p, const std::vector<double>& z) {
    Pair pair({1, 3});
    return pair.run(row_products(unit_rows(pair.a), unit_rows(pair.b)), p, z)[0];
  };
  EXPECT_NEAR(-0.5 * (similarity({1, 2, 0}, {1, 1, 0}) + similarity({0, 1, 1}, {0.5, 1, 1})), -0.9457461698, 1e-10);
}

TEST(Correlations, AgreeWithTheirDefinition) {
  const std::vector<std::vector<double>> x{{1, 1e9}, {2, 1e9 + 1}, {4, 1e9 - 1}, {3, 1e9 + 3}};
  const std::vector<std::vector<double>> y{{2, 1}, {1, 2}, {5, 0}, {5, 4}};
  Correlations correlations(2);
  for (std::size_t i = 0; i < x.size(); ++i) correlations.add(x[i], y[i]);
  // By hand: sums about the means 2.5 and 3.25: xy 6.5, xx 5, yy 12.75; and a line, whatever its mean.
  EXPECT_NEAR(correlations.r()[0], 6.5 / std::sqrt(5.0 * 12.75), 1e-14);
  EXPECT_NEAR(correlations.r()[1], 1.0, 1e-12);
}

TEST(Correlations, CountWhatHasNone) {
  Correlations correlations(2);
  for (double value : {1.0, 2.0, 3.0}) correlations.add(std::vector{value, 5.0}, std::vector{2.0 * value, value});
  const MeanOfSome mean = mean_of_numbers(correlations.r());
  EXPECT_NEAR(mean.mean, 1.0, 1e-14);
  EXPECT_EQ(mean.left_out, 1);
  // 1 - (1 + 4 + 9 + 16 + 9 + 4) / (8 + 2)
  EXPECT_NEAR(correlations.explained(), 1.0 - 43.0 / 10.0, 1e-14);
}

}  // namespace
}  // namespace chiasm

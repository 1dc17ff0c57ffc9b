// SPDX-License-Identifier: Apache-2.0
// Cells against an independent implementation (tests/oracles/cells.py, which this file mirrors): several channels,
// samples and steps, odd and even kernels; outputs, states, and the gradients of parameters, inputs and initial states.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops.h"
#include "engine/program.h"
#include "kernels/reduction/sum_to.h"
#include "tests/support/golden.h"
#include "tests/support/hashed.h"
#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

constexpr std::size_t kSteps = 3;
const Shape kInput{2, 5, 4, 3};

struct Case {
  const char* name;
  const char* cell;
};

const Case kCases[] = {
    {"simple_rnn", R"({"type": "simple_rnn", "channels": 4})"},
    {"simple_rnn_norm", R"({"type": "simple_rnn", "channels": 5, "kernel": 2, "layer_norm": true})"},
    {"gru", R"({"type": "gru", "channels": 4})"},
    {"gru_even", R"({"type": "gru", "channels": 5, "kernel": 4, "reset_bias": -0.5})"},
    {"lstm", R"({"type": "lstm", "channels": 4})"},
    {"lstm_norm",
     R"({"type": "lstm", "channels": 5, "kernel": 2, "layer_norm": true, "forget_bias": 1.3561755203084322})"},
    {"lstm_peepholes", R"({"type": "lstm", "layer_norm": true, "peepholes": true, "forget_bias": 0.7})"},
    {"lstm_even", R"({"type": "lstm", "channels": 2, "kernel": 4, "peepholes": true})"},
    {"ugrnn", R"({"type": "ugrnn", "channels": 4})"},
    {"ugrnn_even", R"({"type": "ugrnn", "channels": 2, "kernel": 2, "forget_bias": 0.3})"},
    {"intersection_rnn", R"({"type": "intersection_rnn"})"},
    {"intersection_rnn_even", R"({"type": "intersection_rnn", "kernel": 4, "forget_bias": -0.2})"},
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

double scale_of(const Parameter& p) {
  const Shape& shape = p.spec.shape;
  if (shape.rank() == 4) return 1.5 / (static_cast<double>(shape[0]) * std::sqrt(static_cast<double>(shape[2])));
  if (shape.rank() == 3) return 0.6;
  return p.name.ends_with("gain") ? 1.2 : p.name.ends_with("offset") ? 0.4 : 0.5;
}

class CellGolden : public testing::TestWithParam<Case> {};

TEST_P(CellGolden, AgreesWithPyTorch) {
  const Golden golden("cells");
  const std::string name = GetParam().name, prefix = name + "/";
  const std::shared_ptr<const Cell> cell = cell_of(GetParam().cell);
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat64});

  std::vector<std::pair<std::string, Value>> leaves;
  const auto leaf = [&](const std::string& what, const Shape& shape) {
    leaves.emplace_back(what, graph.input(what, Spec{DType::kFloat64, shape}));
    return leaves.back().second;
  };
  Value loss = fill(graph, Spec{DType::kFloat64, {}}, 0.0);
  std::vector<std::pair<std::string, Spec>> directions;
  const auto add = [&](const std::string& what, Value v) {
    directions.emplace_back(what + "/direction", v.spec());
    const Value direction = graph.input(what + "/direction", v.spec());
    loss = loss + graph.apply(SumTo{Shape{}}, {v * direction});
  };
  std::vector<Value> state;
  for (const Shape& shape : cell->state_shapes(kInput)) {
    state.push_back(leaf(numbered("s", state.size()), shape));
  }
  for (std::size_t t = 0; t < kSteps; ++t) {
    CellInput in;
    in.x = in.feedforward = leaf(numbered("x", t), kInput);
    CellStep step = cell->step(scope.at_step(static_cast<int>(t)), in, state);
    state = std::move(step.state);
    add(numbered("output", t), step.output);
    if (t + 1 == kSteps) graph.output("output", step.output);
  }
  for (std::size_t k = 0; k < state.size(); ++k) {
    add(numbered("state", k), state[k]);
    graph.output(numbered("state", k), state[k]);
  }
  std::vector<Value> wrt;
  for (const auto& [what, value] : leaves) wrt.push_back(value);
  for (const Parameter& p : parameters.all()) {
    leaves.emplace_back(p.name, graph.state(p.name, p.spec));
    wrt.push_back(leaves.back().second);
  }
  const std::vector<Value> g = gradients(loss, wrt);
  for (std::size_t i = 0; i < g.size(); ++i) graph.output("gradient/" + leaves[i].first, g[i]);

  parameters.initialise(0);
  for (const Parameter& p : parameters.all()) {
    fill_hashed(parameters.tensors().at(p.name).view(), prefix + p.name, scale_of(p));
  }
  Program program(graph, {.threads = 1});
  program.bind_all(parameters.tensors());
  for (const auto& [what, spec] : directions) fill_hashed(program.input(what), prefix + what, 1.0);
  for (const auto& [what, value] : leaves) {
    if (!parameters.tensors().contains(what))
      fill_hashed(program.input(what), prefix + what, what[0] == 's' ? 0.8 : 1.5);
  }
  program.run();

  // Sums of up to 2 x 5 x 4 x 16 x 9 products in another order, three steps deep: 1e-12 is some thousand roundings.
  constexpr Tolerance kTolerance{1e-12, 1e-14};
  EXPECT_TRUE(near(program.output("output"), golden.at(prefix + "output").view(), kTolerance));
  for (std::size_t k = 0; k < state.size(); ++k) {
    const std::string what = numbered("state", k);
    EXPECT_TRUE(near(program.output(what), golden.at(prefix + what).view(), kTolerance)) << what;
  }
  for (const auto& [what, value] : leaves) {
    const Sketch found = sketch(program.output("gradient/" + what), prefix + what);
    const Tensor& expected = golden.at(prefix + "gradient/" + what);
    const double norm = expected.values<double>()[1];
    EXPECT_GT(norm, 1e-3) << what;
    EXPECT_NEAR(found.product, expected.values<double>()[0], 1e-12 * norm) << what;
    EXPECT_NEAR(found.norm, norm, 1e-12 * norm) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, CellGolden, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// The parameters of cells: shapes, initialisers and L2 terms (the table of spec/convrnn.md section 2, and 7.2).
#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops.h"
#include "tests/support/vectors.h"

namespace chiasm::test {
namespace {

// The parameters that a cell declares for inputs of 6 x 5 pixels and 3 channels, by name.
std::map<std::string, Parameter> parameters_of(const std::string& json) {
  const std::shared_ptr<const Cell> cell = cell_of(json);
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters);
  CellInput in;
  in.x = in.feedforward = graph.input("x", Spec{DType::kFloat32, {1, 6, 5, 3}});
  std::vector<Value> state;
  for (const Shape& shape : cell->state_shapes(in.x.shape())) {
    state.push_back(fill(graph, Spec{DType::kFloat32, shape}, 0.0));
  }
  cell->step(scope, in, state);
  std::map<std::string, Parameter> result;
  for (const Parameter& p : parameters.all()) result.emplace(p.name, p);
  return result;
}

void expect(const std::map<std::string, Parameter>& found, const std::string& name, const Shape& shape,
            const Initialiser& initialiser, double l2) {
  ASSERT_TRUE(found.contains(name)) << name;
  const Parameter& p = found.at(name);
  EXPECT_EQ(p.spec.shape, shape) << name;
  EXPECT_TRUE(p.initialiser == initialiser) << name;
  EXPECT_EQ(p.l2, l2) << name;
}

Initialiser glorot(double fan_in, double fan_out) { return Initialiser::uniform(std::sqrt(6.0 / (fan_in + fan_out))); }
Initialiser constant(double value) { return Initialiser::constant(value); }

TEST(CellParameters, OfSimpleRnn) {
  const auto p = parameters_of(R"({"type": "simple_rnn", "channels": 4, "layer_norm": true})");
  EXPECT_EQ(p.size(), 6u);
  expect(p, "input_to_state/weight", {3, 3, 3, 4}, glorot(27, 36), 1e-4);
  expect(p, "input_to_state/bias", {4}, constant(0), 1e-4);
  expect(p, "state_to_state/weight", {3, 3, 4, 4}, glorot(36, 36), 1e-4);
  expect(p, "state_to_state/bias", {4}, constant(0), 1e-4);
  expect(p, "norm/gain", {4}, constant(1), 0);
  expect(p, "norm/offset", {4}, constant(0), 0);
}

TEST(CellParameters, OfGru) {
  const auto p = parameters_of(R"({"type": "gru", "l2": 1e-3})");
  EXPECT_EQ(p.size(), 4u);
  expect(p, "gates/weight", {3, 3, 6, 6}, glorot(54, 54), 1e-3);
  expect(p, "gates/bias", {6}, constant(1), 1e-3);
  expect(p, "candidate/weight", {3, 3, 6, 3}, glorot(54, 27), 1e-3);
  expect(p, "candidate/bias", {3}, constant(0), 1e-3);
}

// Layer 4 of LSTM Opt (4.2): an even kernel here, so that fans and shapes tell kernel sizes apart.
TEST(CellParameters, OfLstm) {
  const auto p = parameters_of(R"({"type": "lstm", "channels": 2, "kernel": 4, "layer_norm": true, "peepholes": true,
    "l2": 7.6e-6, "bias_init": -1.166, "kernel_init": {"type": "variance_scaling", "scale": 1.83}})");
  EXPECT_EQ(p.size(), 15u);
  const auto scaled = [](double fan_in) { return Initialiser::truncated_normal(std::sqrt(1.83 / fan_in)); };
  expect(p, "gates/weight", {4, 4, 5, 8}, scaled(80), 7.6e-6);
  expect(p, "gates/bias", {8}, constant(-1.166), 7.6e-6);
  for (const char* gate : {"input", "forget", "output"}) {
    expect(p, std::string(gate) + "_peephole", {6, 5, 2}, scaled(30), 0);
  }
  for (const char* norm : {"input_norm", "candidate_norm", "forget_norm", "output_norm", "cell_norm"}) {
    expect(p, std::string(norm) + "/gain", {2}, constant(1), 0);
    expect(p, std::string(norm) + "/offset", {2}, constant(0), 0);
  }
  EXPECT_EQ(parameters_of(R"({"type": "lstm"})").size(), 2u);
}

TEST(CellParameters, OfUgrnnAndIntersectionRnn) {
  const auto u = parameters_of(R"({"type": "ugrnn", "channels": 4, "l2_bias": 0})");
  EXPECT_EQ(u.size(), 2u);
  expect(u, "gates/weight", {3, 3, 7, 8}, glorot(63, 72), 1e-4);
  expect(u, "gates/bias", {8}, constant(0), 0);
  const auto i = parameters_of(R"({"type": "intersection_rnn"})");
  EXPECT_EQ(i.size(), 2u);
  expect(i, "gates/weight", {3, 3, 6, 12}, glorot(54, 108), 1e-4);
  expect(i, "gates/bias", {12}, constant(0), 1e-4);
}

TEST(CellParameters, OfTimeDecayAndTheMinimalRgc) {
  const auto t = parameters_of(R"({"type": "time_decay"})");
  EXPECT_EQ(t.size(), 1u);
  expect(t, "lambda", {}, constant(0), 0);
  const auto r = parameters_of(R"({"type": "rgc_shallow"})");
  EXPECT_EQ(r.size(), 6u);
  for (const auto& [name, parameter] : r) expect(r, name, {3, 3, 3, 3}, glorot(27, 27), 1e-4);
}

// Kernels alone carry L2 terms in the general cell, and the projection of the residual none.
TEST(CellParameters, OfRgc) {
  const auto p = parameters_of(R"({"type": "rgc", "cell_channels": 2, "l2": 2e-4, "residual_to_cell": true})");
  int kernels = 0;
  for (const auto& [name, parameter] : p) {
    const bool regularised = !name.ends_with("/bias");
    EXPECT_EQ(parameter.l2, regularised ? 2e-4 : 0.0) << name;
    kernels += regularised;
  }
  EXPECT_EQ(kernels, 3 + 2 * 4);  // three dense convolutions and four separable ones
}

TEST(CellParameters, RefuseImpossibleValues) {
  for (const char* json :
       {R"({"type": "gru", "kernel": 0})", R"({"type": "gru", "channels": -1})", R"({"type": "lstm", "l2": -1e-4})",
        R"({"type": "lstm", "layernorm": true})", R"({"type": "simple_rnn", "peepholes": true})",
        R"({"type": "ugrnn", "kernel_init": "glorot"})", R"({"type": "intersection_rnn", "forget_bias": "one"})"}) {
    EXPECT_THROW(cell_of(json), InputError) << json;
  }
}

}  // namespace
}  // namespace chiasm::test

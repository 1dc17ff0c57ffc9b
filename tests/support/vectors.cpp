// SPDX-License-Identifier: Apache-2.0
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/config/config.h"
#include "engine/ops.h"
#include "engine/program.h"

namespace chiasm::test {

std::string numbered(std::string name, std::size_t number) { return name.append(std::to_string(number)); }

std::vector<double> numbers(std::string_view text) {
  std::string plain(text);
  std::replace_if(
      plain.begin(), plain.end(), [](char c) { return std::string_view("[](),;").find(c) != std::string_view::npos; },
      ' ');
  std::vector<double> values;
  const char* at = plain.c_str();
  for (char* end = nullptr;; at = end) {
    const double value = std::strtod(at, &end);
    if (end == at) return values;
    values.push_back(value);
  }
}

std::vector<double> kernel_of(double v, int k) {
  std::vector<double> taps;
  for (int i = 0; i < k * k; ++i) taps.push_back(v * (1.0 + 0.1 * i) / (k * k));
  return taps;
}

CellSequence sequence_a() {
  return {{1, 2, 2, 1}, {numbers("[[1,-1],[0.5,2]]"), numbers("[[0,0.5],[-0.5,1]]"), numbers("[[0,0],[0,0]]")}, {}};
}

CellSequence sequence_b() {
  return {{1, 3, 3, 1},
          {numbers("[[1,-1,0.5],[2,0,-0.5],[0.25,-2,1.5]]"), numbers("[[0,0.5,-0.5],[1,0,0.25],[-1,0.75,0]]"),
           std::vector<double>(9, 0.0)},
          {}};
}

CellSequence with_half_feedforward(CellSequence sequence) {
  sequence.feedforward = sequence.x;
  for (auto& frame : sequence.feedforward) {
    for (double& v : frame) v *= 0.5;
  }
  return sequence;
}

std::shared_ptr<const Cell> cell_of(const std::string& json) {
  const Config config = Config::parse(json, "test");
  std::shared_ptr<const Cell> cell = make_cell(config.root());
  config.finish();
  return cell;
}

CellRun run_cell(const Cell& cell, const CellSequence& sequence, const CellWeights& weights) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat64});
  const Spec image{DType::kFloat64, sequence.image};
  const auto input = [&](const std::string& name, std::size_t t) { return graph.input(numbered(name, t), image); };
  std::vector<Value> state;
  for (const Shape& shape : cell.state_shapes(image.shape))
    state.push_back(fill(graph, Spec{DType::kFloat64, shape}, 0.0));
  const Value f = sequence.feedback.empty() ? Value() : graph.input("f", image);
  const std::size_t steps = sequence.x.size();
  for (std::size_t t = 0; t < steps; ++t) {
    CellStep step = cell.step(scope.at_step(static_cast<int>(t)), {input("x", t), input("r", t), f}, state);
    state = step.state;
    graph.output(numbered("y", t), step.output);
    for (std::size_t k = 0; k < state.size(); ++k) graph.output(numbered(numbered("s", t) + "_", k), state[k]);
  }
  parameters.initialise(0);
  EXPECT_EQ(weights.size(), parameters.tensors().size());
  for (const auto& [name, values] : weights) {
    const auto found = parameters.tensors().find(name);
    if (found == parameters.tensors().end()) {
      ADD_FAILURE() << "the cell has no parameter " << name;
      return {};
    }
    if (static_cast<std::size_t>(found->second.elements()) != values.size()) {
      ADD_FAILURE() << name << " has " << found->second.elements() << " elements, not " << values.size();
      return {};
    }
    std::copy(values.begin(), values.end(), found->second.values<double>().begin());
  }
  Program program(graph, {.threads = 1});
  program.bind_all(parameters.tensors());
  const auto set = [&](const std::string& name, const std::vector<double>& values) {
    program.set_input(name, Tensor::of<double>(image.shape, values).view());
  };
  const auto& feedforward = sequence.feedforward.empty() ? sequence.x : sequence.feedforward;
  for (std::size_t t = 0; t < steps; ++t) {
    set(numbered("x", t), sequence.x[t]);
    set(numbered("r", t), feedforward[t]);
  }
  if (f) set("f", sequence.feedback);
  program.run();
  const auto get = [&](const std::string& name) {
    const View view = program.output(name);
    return std::vector<double>(view.as<double>(), view.as<double>() + view.elements());
  };
  CellRun run;
  for (std::size_t t = 0; t < steps; ++t) {
    run.output.push_back(get(numbered("y", t)));
    run.state.emplace_back();
    for (std::size_t k = 0; k < state.size(); ++k) {
      run.state.back().push_back(get(numbered(numbered("s", t) + "_", k)));
    }
  }
  return run;
}

void expect_steps(const std::vector<std::vector<double>>& actual, const std::vector<const char*>& expected,
                  const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t t = 0; t < expected.size(); ++t) {
    EXPECT_LE(distance(actual[t], numbers(expected[t])), 1e-6) << what << " at step " << t;
  }
}

std::vector<std::vector<double>> states(const CellRun& run, std::size_t k) {
  std::vector<std::vector<double>> result;
  for (const auto& step : run.state) result.push_back(step.at(k));
  return result;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(a[i] - b[i]);
    if (!(d <= largest)) largest = d;  // keeps a NaN
  }
  return largest;
}

}  // namespace chiasm::test

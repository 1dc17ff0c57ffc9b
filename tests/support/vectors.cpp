// SPDX-License-Identifier: Apache-2.0
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops.h"
#include "engine/program.h"

namespace chiasm::test {

std::vector<double> numbers(std::string_view text) {
  std::string plain(text);
  std::replace_if(
      plain.begin(), plain.end(), [](char c) { return c == '[' || c == ']' || c == ','; }, ' ');
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

CellRun run_cell(const Cell& cell, int side, const std::vector<std::vector<double>>& x,
                 const std::vector<std::vector<double>>& feedforward, const std::vector<double>& feedback,
                 const std::map<std::string, std::vector<double>>& weights) {
  Graph graph;
  Parameters parameters;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat64});
  const Spec image{DType::kFloat64, {1, side, side, 1}};
  const auto input = [&](const std::string& name, std::size_t t) {
    return graph.input(name + std::to_string(t), image);
  };
  std::vector<Value> state;
  for (const Shape& shape : cell.state_shapes(image.shape))
    state.push_back(fill(graph, Spec{DType::kFloat64, shape}, 0.0));
  const Value f = feedback.empty() ? Value() : graph.input("f", image);
  for (std::size_t t = 0; t < x.size(); ++t) {
    CellStep step = cell.step(scope.at_step(static_cast<int>(t)), {input("x", t), input("r", t), f}, state);
    state = step.state;
    graph.output("y" + std::to_string(t), step.output);
    for (std::size_t k = 0; k < state.size(); ++k)
      graph.output("s" + std::to_string(t) + "_" + std::to_string(k), state[k]);
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
  for (std::size_t t = 0; t < x.size(); ++t) {
    set("x" + std::to_string(t), x[t]);
    set("r" + std::to_string(t), feedforward[t]);
  }
  if (f) set("f", feedback);
  program.run();
  const auto get = [&](const std::string& name) {
    const View view = program.output(name);
    return std::vector<double>(view.as<double>(), view.as<double>() + view.elements());
  };
  CellRun run;
  for (std::size_t t = 0; t < x.size(); ++t) {
    run.output.push_back(get("y" + std::to_string(t)));
    run.state.emplace_back();
    for (std::size_t k = 0; k < state.size(); ++k) {
      run.state.back().push_back(get("s" + std::to_string(t) + "_" + std::to_string(k)));
    }
  }
  return run;
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

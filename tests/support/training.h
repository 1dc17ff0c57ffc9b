// SPDX-License-Identifier: Apache-2.0
// Small networks in training: what several tests of the time compiler run.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/program.h"
#include "models/network.h"
#include "tests/support/compare.h"

namespace chiasm::test {

Tensor copy_of(const View& view);

// A training step of gradient descent with momentum.
Graph training_step_of(const std::string& json, Parameters& parameters, std::int64_t batch, DType dtype,
                       const std::string& passes);

struct Trained {
  std::vector<Tensor> logits;  // by training step
  std::vector<double> losses;
  std::map<std::string, Tensor> states;  // after the last one
  std::int64_t flops = 0;                // of a step
  std::int64_t arena_bytes = 0;
};

// Runs a training step `steps` times from equal initial values, on images, labels and random draws that change with
// every step.
Trained train(const Graph& step, Parameters& parameters, const ProgramOptions& options, int steps = 3);

void expect_near(const Trained& actual, const Trained& expected, Tolerance tolerance);
void expect_same_bits(const Trained& actual, const Trained& expected);

// The loss of a network on two images, and its gradients: outputs "gradient NAME" for the parameters `names`. Vectors
// and scalars among these start at values of their own, so that gains, offsets and biases are all different.
struct LossAndGradients {
  Parameters parameters;
  std::vector<std::string> names;
  std::optional<Program> program;

  explicit LossAndGradients(const Network& network, const std::string& passes = "all", DType dtype = DType::kFloat64);
  double loss();  // runs the program
  View gradient(const std::string& name) const { return program->output("gradient " + name); }
};

// Compares every gradient of a network with central differences, in float64.
void expect_gradients_agree_with_differences(const Network& network);
// Gives every backward weight the value of its forward weight and compares with the tied network; then moves each,
// which must change gradients and nothing else.
void expect_untied_equal_to_tied(const Network& untied, const Network& tied);

}  // namespace chiasm::test

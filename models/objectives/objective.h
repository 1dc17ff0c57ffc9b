// SPDX-License-Identifier: Apache-2.0
// Objective: what training makes small for one image, given the logits and the class. A new objective is its own file,
// its declaration here, and one line in objectives.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

class ConfigNode;

struct Objective {
  std::string_view name;  // as recipes write it

  // In a graph: logits [N, classes], label int32 [N] -> the loss of each sample [N], in nats.
  Value (*losses)(Value logits, Value label);
  // The same loss of one sample. REQUIRES: 0 <= label < logits.size().
  double (*loss)(std::span<const double> logits, std::int32_t label);
  // What the model says the probability of each class is, under this objective.
  std::vector<double> (*probabilities)(std::span<const double> logits);
};

// Minus the log-probability of the class, with softmax probabilities.
Objective softmax_cross_entropy();
// Every class a logistic unit of its own that answers whether it is the one: minus the log-probability of all answers.
Objective sigmoid_cross_entropy();

// Reads "objective" by name; absent: softmax_cross_entropy.
Objective read_objective(const ConfigNode& model);

}  // namespace chiasm

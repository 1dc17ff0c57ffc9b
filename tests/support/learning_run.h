// SPDX-License-Identifier: Apache-2.0
// Training steps of a small graph under a learning rule, in float64, driven by hand.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/program.h"
#include "engine/scope.h"
#include "learning_rules/learning_step.h"

namespace chiasm::test {

class LearningRun {
 public:
  // `network` makes the loss from inputs of its own. Every weight has a backward weight where the rule has one.
  LearningRun(const std::function<Value(const Scope&)>& network, Learning learning, Optimizer task = {},
              std::uint64_t seed = 7);

  struct Rates {
    double task = 0.0;
    double alignment = 0.0;
  };
  // One step, with inputs by name. Counts the steps of each phase for Adam and for noise.
  void step(Phase phase, Rates rates, const std::map<std::string, Tensor>& inputs);

  std::map<std::string, Tensor>& states() { return parameters_.tensors(); }
  std::vector<double> get(const std::string& state);
  void set(const std::string& state, const std::vector<double>& values);
  const Parameters& parameters() const { return parameters_; }
  // The graph of that phase, before passes.
  const Graph& graph(Phase phase);

 private:
  struct Compiled {
    Graph graph;
    Program program;
  };
  Compiled& compiled(Phase phase);

  Parameters parameters_;
  Learning learning_;
  Optimizer task_;
  std::uint64_t seed_;
  Graph loss_;
  std::map<Phase, Compiled> compiled_;
  std::int32_t steps_ = 0;
};

}  // namespace chiasm::test

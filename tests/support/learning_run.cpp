// SPDX-License-Identifier: Apache-2.0
#include "tests/support/learning_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/aligned_layer.h"

namespace chiasm::test {

LearningRun::LearningRun(const std::function<Value(const Scope&)>& network, Learning learning, Optimizer task,
                         std::uint64_t seed)
    : learning_(std::move(learning)), task_(task), seed_(seed) {
  const Scope scope(loss_, parameters_,
                    {.dtype = DType::kFloat64, .training = true, .untied = [this](std::string_view path) {
                       return learning_.untied(path);
                     }});
  loss_.output("loss", network(scope));
  scope.commit_statistics();
}

LearningRun::Compiled& LearningRun::compiled(Phase phase) {
  const auto found = compiled_.find(phase);
  if (found != compiled_.end()) return found->second;
  Graph graph =
      build_learning_step(loss_, parameters_, learning_, {.task_optimizer = task_, .phase = phase, .seed = seed_});
  parameters_.initialise(seed_);
  Program program(graph, {.threads = 1});
  return compiled_.emplace(phase, Compiled{std::move(graph), std::move(program)}).first->second;
}

const Graph& LearningRun::graph(Phase phase) { return compiled(phase).graph; }

void LearningRun::step(Phase phase, Rates rates, const std::map<std::string, Tensor>& inputs) {
  Program& program = compiled(phase).program;
  const auto has = [&](const std::string& name) { return program.graph().inputs().contains(name); };
  ++steps_;
  if (has("learning_rate")) *program.input("learning_rate").as<double>() = rates.task;
  if (has(kAlignmentRate)) *program.input(kAlignmentRate).as<double>() = rates.alignment;
  for (const char* counter : {"step", kAlignmentStep, "draw"}) {
    if (has(counter)) *program.input(counter).as<std::int32_t>() = steps_;
  }
  for (const auto& [name, tensor] : inputs) {
    if (has(name)) program.set_input(name, tensor.view());
  }
  program.bind_all(parameters_.tensors());
  program.run();
}

std::vector<double> LearningRun::get(const std::string& state) {
  parameters_.initialise(seed_);
  return values_of(parameters_.tensors().at(state).view());
}

void LearningRun::set(const std::string& state, const std::vector<double>& values) {
  parameters_.initialise(seed_);
  const std::span<double> held = parameters_.tensors().at(state).values<double>();
  ASSERT_EQ(held.size(), values.size()) << state;
  std::copy(values.begin(), values.end(), held.begin());
}

}  // namespace chiasm::test

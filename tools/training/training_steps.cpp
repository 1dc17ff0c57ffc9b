// SPDX-License-Identifier: Apache-2.0
#include "tools/training/training_steps.h"

#include <vector>

#include "learning_rules/learning_step.h"

namespace chiasm {

Phase training_phase(const Recipe& recipe) {
  return recipe.train.learning.phases.alternate ? Phase::kTask : Phase::kBoth;
}

Graph loss_graph(const Recipe& recipe, Parameters& parameters, std::int64_t batch, const std::string& passes) {
  return task_loss(*recipe.task, recipe.network, parameters, batch,
                   {.dtype = recipe.train.dtype, .seed = recipe.train.seed, .passes = passes});
}

std::map<Phase, Graph> training_steps(const Recipe& recipe, Parameters& parameters, std::int64_t batch,
                                      const std::string& passes) {
  const TrainRecipe& train = recipe.train;
  const PhasePlan& phases = train.learning.phases;
  std::vector<Phase> needed{training_phase(recipe)};
  if (phases.alternate || phases.delay_epochs > 0.0) needed.push_back(Phase::kAlignment);
  const Graph loss = loss_graph(recipe, parameters, batch, passes);
  LearningStepOptions options{.task_optimizer = train.optimizer, .seed = train.seed, .passes = passes};
  for (const GroupConfig& config : train.groups) options.groups.push_back(config.group);
  options.copies = train.copies;
  std::map<Phase, Graph> graphs;
  for (Phase phase : needed) {
    options.phase = phase;
    graphs.emplace(phase, build_learning_step(loss, parameters, train.learning, options));
  }
  return graphs;
}

}  // namespace chiasm

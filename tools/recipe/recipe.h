// SPDX-License-Identifier: Apache-2.0
// Recipe: everything a training run depends on, read strictly from JSON (models/recipes/README.md describes the
// fields).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/optimizer.h"
#include "engine/schedule.h"
#include "engine/training_config.h"
#include "kernels/cuda/stream.h"
#include "learning_rules/learning.h"
#include "models/tasks/task.h"
#include "tools/recipe/data_recipe.h"

namespace chiasm {

struct TrainRecipe {
  std::int64_t batch = 64;
  double epochs = 1.0;
  std::int64_t max_steps = 0;  // 0: epochs decide
  std::uint64_t seed = 0;
  DType dtype = DType::kFloat32;
  CudaMath precision = CudaMath::kFloat32;  // of convolutions and products on CUDA; parameters and sums are float32
  Optimizer optimizer;
  Schedule schedule;
  std::vector<GroupConfig> groups;  // parameters with a training of their own
  std::vector<MovingCopy> copies;
  Learning learning;  // backpropagation, unless the recipe has a "learning_rule"
  double evaluate_every_epochs = 1.0;
  std::int64_t snapshot_every_steps = 500;
  std::int64_t keep_snapshots = 2;
  std::int64_t log_every_steps = 10;
  std::int64_t align_every_steps = 0;  // how often alignment is measured; 0: at every evaluation
};

struct Recipe {
  std::string name;
  std::string description;
  DataRecipe data;
  Network network;
  std::shared_ptr<const Task> task = classification();
  TrainRecipe train;
  Config source = Config::empty("recipe");  // the plain JSON, with overrides: what a run folder keeps
};

// Reads a recipe, given by its file or its name (library.h), and applies "--set key=value" overrides, in order. Throws
// InputError naming the file and the field.
Recipe load_recipe(const std::string& file_or_name, const std::vector<std::string>& overrides);
Recipe read_recipe(Config config);

}  // namespace chiasm

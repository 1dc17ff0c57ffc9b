// SPDX-License-Identifier: Apache-2.0
#include "tools/recipe/recipe.h"

#include <cmath>

#include "engine/training_config.h"
#include "learning_rules/learning_config.h"
#include "models/recipe_file.h"
#include "tools/recipe/data_recipe.h"
#include "tools/recipe/library.h"
#include "tools/recipe/presets.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMany = std::int64_t{1} << 40;

TrainRecipe read_train(const ConfigNode& node) {
  TrainRecipe t;
  t.batch = node.integer("batch", {1, 1 << 20});
  t.epochs = node.real("epochs", RealRange::positive());
  t.max_steps = node.integer_or("max_steps", 0, {0, kMany});
  t.seed = static_cast<std::uint64_t>(node.integer_or("seed", 0, {0, std::numeric_limits<std::int64_t>::max()}));
  t.dtype = node.choice_or("dtype", "float32", {"float32", "float64"}) == "float64" ? DType::kFloat64 : DType::kFloat32;
  const std::string precision = node.choice_or("precision", "float32", {"float32", "tf32", "bfloat16"});
  if (precision == "tf32") t.precision = CudaMath::kTf32;
  if (precision == "bfloat16") t.precision = CudaMath::kBfloat16;
  t.optimizer = read_optimizer(node.object("optimizer"));
  t.schedule = read_schedule(node.at("learning_rate"), {.epochs = t.epochs});
  for (const ConfigNode& group : node.objects_or_none("groups")) {
    t.groups.push_back(read_group(group, t.optimizer, t.schedule));
  }
  for (const ConfigNode& copy : node.objects_or_none("moving_copies")) t.copies.push_back(read_moving_copy(copy));
  t.evaluate_every_epochs = node.real_or("evaluate_every_epochs", 1.0, RealRange::positive());
  t.snapshot_every_steps = node.integer_or("snapshot_every_steps", t.snapshot_every_steps, {1, kMany});
  t.keep_snapshots = node.integer_or("keep_snapshots", t.keep_snapshots, {1, 1 << 20});
  t.log_every_steps = node.integer_or("log_every_steps", t.log_every_steps, {1, kMany});
  t.align_every_steps = node.integer_or("align_every_steps", 0, {0, kMany});
  return t;
}

void read_learning_rule(const ConfigNode& root, Recipe& recipe) {
  if (recipe.network.untied) {
    root.fail_because(
        "give \"learning_rule\" or \"model.backward_weights\", not both: a rule says which layers have them");
  }
  recipe.train.learning = read_learning(root.at("learning_rule"), recipe.train.schedule);
  if (recipe.train.learning.any_untied()) {
    recipe.network.untied = [learning = recipe.train.learning](std::string_view path) { return learning.untied(path); };
  }
}

}  // namespace

Recipe read_recipe(Config config) {
  Recipe recipe;
  const ConfigNode root = config.root();
  root.integer("chiasm", {1, 1});  // version of the format
  recipe.name = root.text("name");
  recipe.description = root.text_or("description", "");
  recipe.network = read_network(root.object("model"));
  if (root.has("task")) recipe.task = read_task(root.object("task"));
  try {
    recipe.task->check(recipe.network);
  } catch (const FileError&) {
    throw;
  } catch (const InputError& error) {
    root.object("model").fail_because(error.what());
  }
  recipe.train = read_train(root.object("train"));
  if (root.has("learning_rule")) read_learning_rule(root, recipe);
  recipe.data = read_data(root.object("data"), recipe.task->fields(recipe.network));
  config.finish();
  recipe.source = std::move(config);
  return recipe;
}

Recipe load_recipe(const std::string& file_or_name, const std::vector<std::string>& overrides) {
  Config config = load_recipe_file(find_recipe(file_or_name), overrides);
  expand_preset(config);
  return read_recipe(std::move(config));
}

}  // namespace chiasm

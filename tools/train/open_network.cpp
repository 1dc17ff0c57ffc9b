// SPDX-License-Identifier: Apache-2.0
#include "tools/train/open_network.h"

#include <filesystem>

#include "engine/snapshot.h"
#include "engine/weights.h"
#include "tools/train/train_run.h"
#include "tools/training/training_steps.h"

namespace chiasm {

OpenNetwork open_network(const NetworkSource& source) {
  const bool run = std::filesystem::is_directory(source.source);
  if (!source.snapshot.empty() && !source.weights.empty()) {
    throw InputError("--snapshot and --weights: give one of them");
  }
  if (!run && !source.snapshot.empty()) {
    throw InputError(source.source + " is not the folder of a run, so it has no snapshots; give --weights FILE");
  }
  if (!run && source.weights.empty() && !source.untrained) {
    throw InputError(source.source + " is not the folder of a run; a recipe needs --weights FILE");
  }
  OpenNetwork network;
  network.recipe = run ? recipe_of_run(source.source, source.overrides) : load_recipe(source.source, source.overrides);
  const TrainRecipe& train = network.recipe.train;
  const BuildOptions options{.dtype = train.dtype, .seed = train.seed, .passes = "none"};
  if (run && source.weights.empty()) {
    // Declares what a snapshot of this recipe holds, optimizer state included.
    training_steps(network.recipe, network.parameters, 1, options.passes);
    network.parameters.initialise(train.seed);
    network.file = source.snapshot.empty() ? newest_snapshot(source.source) : source.snapshot;
    network.step = load_snapshot(network.file, network.parameters).step;
    return network;
  }
  declare_parameters(*network.recipe.task, network.recipe.network, network.parameters, options);
  network.parameters.initialise(train.seed);
  network.file = source.weights;
  if (!network.file.empty()) load_weights(network.file, network.parameters);
  return network;
}

}  // namespace chiasm

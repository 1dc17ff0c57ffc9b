// SPDX-License-Identifier: Apache-2.0
// The "data" of a recipe: which images, what is shown of them, and what training changes about them
// (models/recipes/README.md describes the fields).
#pragma once

#include "engine/config/config.h"
#include "engine/data/batch.h"
#include "engine/data/dataset.h"

namespace chiasm {

struct DataRecipe {
  DatasetConfig train;
  DatasetConfig test;
  bool shuffle = true;              // training only
  Augmentation train_augmentation;  // with view and normalisation
  Augmentation test_augmentation;   // view and normalisation alone
  // How batches show images: one for each image that the task takes.
  std::vector<ImageShow> train_views;
  std::vector<ImageShow> test_views;
};

// `fields` are those of the task. Throws InputError naming the field.
DataRecipe read_data(const ConfigNode& data, const Fields& fields);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// The "data" of a recipe: which images, what is shown of them, and what training changes about them
// (models/recipes/README.md describes the fields).
#pragma once

#include "engine/config/config.h"
#include "engine/data/augment.h"
#include "engine/data/dataset.h"

namespace chiasm {

struct DataRecipe {
  DatasetConfig train;
  DatasetConfig test;
  bool shuffle = true;              // training only
  Augmentation train_augmentation;  // with view and normalisation
  Augmentation test_augmentation;   // view and normalisation alone
};

// `image`: height, width and channels that the network takes. Throws InputError naming the field.
DataRecipe read_data(const ConfigNode& data, const Shape& image);

}  // namespace chiasm

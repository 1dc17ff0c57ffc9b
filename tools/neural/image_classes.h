// SPDX-License-Identifier: Apache-2.0
// Which class each image belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/data/feature_layers.h"

namespace chiasm {

struct ImageClasses {
  std::vector<std::int32_t> labels;  // of each image: a position in names
  std::vector<std::string> names;    // sorted
};

// `file`: an .npy file of numbers or texts, or a text file with a name on each line; empty: the folder of each image's
// id. Throws InputError and FileError when there is not one for each image of the features.
ImageClasses read_classes(const FeatureLayers& features, const std::string& file);

}  // namespace chiasm

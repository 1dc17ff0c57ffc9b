// SPDX-License-Identifier: Apache-2.0
// Which class each image belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/data/array_container.h"
#include "analysis/data/feature_layers.h"

namespace chiasm {

struct ImageClasses {
  std::vector<std::int32_t> labels;  // of each image: a position in names
  std::vector<std::string> names;    // sorted
};

// The row of each stimulus of the features in an array of `file` with `count` rows: by the ids beside it, else by
// position, with a warning on stderr (`warned`: once). Throws InputError naming stimuli that it lacks, FileError for
// ids that are not as many as the rows.
std::vector<std::int64_t> rows_for_stimuli(const FeatureLayers& features, const ArrayContainer& file,
                                           const std::string& name, std::int64_t count, bool& warned);

// `file`: an .npz, HDF5 or MATLAB file with texts or numbers "labels", matched by the ids beside them; an .npy file of
// numbers or texts, or a text file with a name on each line; empty: the folder of each image's id. Throws InputError
// and FileError when there is not one for each image of the features.
ImageClasses read_classes(const FeatureLayers& features, const std::string& file);

}  // namespace chiasm

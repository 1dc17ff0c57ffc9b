// SPDX-License-Identifier: Apache-2.0
// From a list of presentations to stimuli and their repeats.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace chiasm {

struct StimulusIndex {
  std::vector<std::string> ids;        // each once, sorted: by value when all are numbers, else as texts
  std::vector<std::int64_t> stimulus;  // of each presentation
  std::vector<std::int64_t> repeat;    // how many of the same stimulus came before it
  std::int64_t repeats = 0;            // of the stimulus with the most
};

// Whether a table says with this that there was no stimulus: nothing, "nan", "N/A", "none", "null", "<NA>", in any
// case.
bool is_missing_id(const std::string& id);

// REQUIRES: no id is missing.
StimulusIndex index_stimuli(const std::vector<std::string>& presentations);

// Responses of this shape, all NaN. Throws FileError when they are 64 times as many as the `known` ones and more than
// 1 GiB: then a label was taken for another.
Tensor missing_responses(DType dtype, const Shape& shape, std::int64_t known, const std::string& file);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// ArraySource: samples with several fields, each an array [samples, ...] of an NPZ file.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/data/source.h"

namespace chiasm {

struct ArrayField {
  std::string key;  // of the array in the file
  // [samples, height, width] or [samples, height, width, channels], uint8 (value / 255) or floating.
  bool image = false;
};

// Throws FileError: arrays that are missing, hold no sample, differ in their number of samples, or are no images where
// they should be.
std::shared_ptr<const Source> open_array_source(const std::string& path,
                                                const std::map<std::string, ArrayField>& fields);

}  // namespace chiasm

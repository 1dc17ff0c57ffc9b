// SPDX-License-Identifier: Apache-2.0
// What `chiasm extract` says on stdout.
#pragma once

#include <string>

#include "models/feature_extraction.h"

namespace chiasm {

struct ExtractionResult {
  std::string file;
  double seconds = 0.0;  // of running the network, without the check of the images
};

// As JSON; `result` is null before the work is done.
void print_json(const FeatureExtraction& extraction, const ImageCheck& check, const ExtractionResult* result);
// What would be written to `file`, and the memory it takes.
void print_plan(const FeatureExtraction& extraction, const std::string& file);
void print_result(const FeatureExtraction& extraction, const ImageCheck& check, const ExtractionResult& result);

}  // namespace chiasm

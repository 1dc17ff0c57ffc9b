// SPDX-License-Identifier: Apache-2.0
// The options by which every verb of the neural comparison is told about the features of a model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysis/data/feature_layers.h"
#include "tools/terminal/command_line.h"

namespace chiasm {

struct FeatureOptions {
  std::string file;
  FeatureReadOptions read;
  std::vector<std::string> layers;  // names or patterns (conv*); empty: all
  std::string steps;                // "last", or numbers and ranges; empty: all from the arrival of the image on

  void add_to(Verb verb, bool required = true);
  std::shared_ptr<const FeatureLayers> open() const;
  // In the order of the file. Throws InputError for a pattern that no layer has.
  std::vector<std::size_t> select_layers(const FeatureLayers& features) const;
  // Positions in features.steps() to average over.
  std::vector<std::size_t> select_steps(const FeatureLayers& features, std::size_t layer) const;
};

}  // namespace chiasm

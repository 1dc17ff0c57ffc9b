// SPDX-License-Identifier: Apache-2.0
// Weight map: how the tensors of another program become the parameters of a network, by name and by layout
// (models/recipes/weights/README.md describes the file).
#pragma once

#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/convert/name_pattern.h"
#include "engine/convert/relayout.h"

namespace chiasm {

struct WeightRule {
  NamePattern source;
  NameTemplate target;
  Relayout relayout;
};

struct WeightMap {
  std::vector<WeightRule> rules;  // the first that fits a name is used
  NameTables tables;
  std::vector<NamePattern> ignore;

  bool ignores(const std::string& source) const;
  // The rule for a tensor and the parameter it fills; nothing when no rule fits.
  struct Match {
    const WeightRule* rule;
    std::string target;
  };
  std::optional<Match> find(const std::string& source) const;
};

// Throw FileError naming the field.
WeightMap read_weight_map(const Config& config);
WeightMap load_weight_map(const std::string& path);

}  // namespace chiasm

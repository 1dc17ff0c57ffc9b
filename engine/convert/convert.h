// SPDX-License-Identifier: Apache-2.0
// Filling a network with the weights of another program.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/convert/weight_map.h"
#include "engine/parameters.h"

namespace chiasm {

struct Conversion {
  struct Entry {
    std::string source;
    std::string target;
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> entries;        // by source
  std::vector<std::string> ignored;  // sources that the map ignores
};

// The parameters that a conversion fills: all but backward weights and the state of optimizers.
std::vector<Parameter> convertible(const Parameters& parameters);

// Fills every parameter and statistic of `parameters` exactly once from `state`, the content of `file`. Throws
// FileError naming `file`, listing parameters that nothing fills or that several tensors fill and tensors that are
// neither used nor ignored, and naming the first tensor that does not fit; nothing is changed then.
// REQUIRES: `parameters` are initialised.
Conversion convert_weights(const std::string& file, const std::map<std::string, Tensor>& state, const WeightMap& map,
                           Parameters& parameters);

}  // namespace chiasm

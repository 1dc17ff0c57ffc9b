// SPDX-License-Identifier: Apache-2.0
// Names that would draw the same random numbers, for tests of what must refuse them.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/initialiser.h"

namespace chiasm::test {

// The first two of "layer0/weight", "layer1/weight", ... with one random_op_of.
inline std::pair<std::string, std::string> two_names_of_one_random_op() {
  std::unordered_map<std::uint32_t, std::string> seen;
  for (int i = 0;; ++i) {
    const std::string name = "layer" + std::to_string(i) + "/weight";
    const auto [owner, added] = seen.emplace(random_op_of(name), name);
    if (!added) return {owner->second, name};
  }
}

}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest of some names to a misspelt one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

// The number of single-letter insertions, deletions, replacements and swaps of neighbours between two words (optimal
// string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that a typist could have meant: within a third of the length of `name` (at least 1 edit, at most 4),
// letter case and "-" against "_" ignored; the first of equals. None when nothing is near.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace chiasm

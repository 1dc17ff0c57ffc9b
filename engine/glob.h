// SPDX-License-Identifier: Apache-2.0
// Patterns of names as in a shell: "conv*", "conv?".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

// Whether `text` as a whole fits: * is any number of characters, ? is one, everything else is itself. Takes time
// proportional to the product of both lengths.
bool fits_glob(std::string_view pattern, std::string_view text);
bool fits_any(const std::vector<std::string>& patterns, std::string_view text);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/glob.h"

#include <algorithm>

namespace chiasm {

bool fits_glob(std::string_view pattern, std::string_view text) {
  // Where the last * stands, and how much of the text it covers so far: trying more of it is all that a mismatch asks
  // for, because earlier ones have nothing to gain from it.
  std::size_t p = 0, t = 0, star = pattern.npos, covered = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      covered = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++covered;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool fits_any(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return fits_glob(pattern, text); });
}

}  // namespace chiasm

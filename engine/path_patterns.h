// SPDX-License-Identifier: Apache-2.0
// Patterns that choose parameters by their path ("conv1/*", "*/bias"; glob.h).
#pragma once

#include <string>
#include <vector>

namespace chiasm {

// Throws InputError where `pattern` fits none of the paths, naming near ones; `where` is the field that gave it.
void require_fit(const std::string& where, const std::string& pattern, const std::vector<std::string>& paths);

}  // namespace chiasm

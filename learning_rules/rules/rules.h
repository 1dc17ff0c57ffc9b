// SPDX-License-Identifier: Apache-2.0
// One rule a file; a new one is a file and a line in rules.cpp.
#pragma once

#include <vector>

#include "learning_rules/learning_rule.h"

namespace chiasm {

const std::vector<const NamedRule*>& named_rules();

}  // namespace chiasm

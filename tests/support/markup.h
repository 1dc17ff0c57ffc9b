// SPDX-License-Identifier: Apache-2.0
// Checks of the pages that chiasm writes.
#pragma once

#include <string>

namespace chiasm::test {

// "" when tags nest and attributes are quoted, otherwise what is wrong. Enough of XML for pages that use no entities of
// their own; the style sheet has no '<'.
std::string malformation(const std::string& page);

}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// Where the source tree is that the tests read recipes, golden values and sources from. A function, so that only its
// own file is compiled with the path: the objects of all others can be shared between copies of the tree.
#pragma once

#include <string>

namespace chiasm::test {

// Without "/" at its end.
const std::string& source_folder();

}  // namespace chiasm::test

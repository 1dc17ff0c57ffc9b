// SPDX-License-Identifier: Apache-2.0
// Where the source tree is that the tests read recipes, golden values and sources from. A function, so that only its
// own file is compiled with the path: the objects of all others can be shared between copies of the tree.
#pragma once

#include <string>

namespace chiasm::test {

// Without "/" at its end. Where CHIASM_SOURCE_DIR says, if it is set: in a bundle (tools/bundle.sh).
const std::string& source_folder();

// The chiasm command, which tests run like anybody; CHIASM_COMMAND may name another. Empty where the build has none.
const std::string& chiasm_command();

// A file that is not part of chiasm and may be absent: beside the source tree in shared/data, or where
// CHIASM_SHARED_DATA says. A test that needs it is skipped, and counted as skipped, without it.
std::string shared_data(const std::string& name);

}  // namespace chiasm::test

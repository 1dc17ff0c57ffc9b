// SPDX-License-Identifier: Apache-2.0
#include "tests/support/source_tree.h"

namespace chiasm::test {

const std::string& source_folder() {
  static const std::string folder = CHIASM_SOURCE_DIR;
  return folder;
}

}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/source_tree.h"

#include <cstdlib>

namespace chiasm::test {

const std::string& source_folder() {
  static const std::string folder = CHIASM_SOURCE_DIR;
  return folder;
}

std::string shared_data(const std::string& name) {
  const char* const set = std::getenv("CHIASM_SHARED_DATA");
  return (set ? std::string(set) : source_folder() + "/../shared/data") + "/" + name;
}

}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/source_tree.h"

#include <cstdlib>

namespace chiasm::test {
namespace {

std::string environment_or(const char* name, const char* otherwise) {
  const char* const set = std::getenv(name);
  return set != nullptr ? set : otherwise;
}

}  // namespace

const std::string& source_folder() {
  static const std::string folder = environment_or("CHIASM_SOURCE_DIR", CHIASM_SOURCE_DIR);
  return folder;
}

const std::string& chiasm_command() {
  static const std::string command = environment_or("CHIASM_COMMAND", CHIASM_COMMAND);
  return command;
}

std::string shared_data(const std::string& name) {
  return environment_or("CHIASM_SHARED_DATA", (source_folder() + "/../shared/data").c_str()) + "/" + name;
}

}  // namespace chiasm::test

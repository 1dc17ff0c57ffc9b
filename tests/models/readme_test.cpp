// SPDX-License-Identifier: Apache-2.0
// models/README.md shows how to add a circuit with the code of one.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(source_folder() + "/" + path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ModelsReadme, ShowsACircuitAsItIs) {
  const std::string readme = text_of("models/README.md"), fence = "```";
  const std::size_t section = readme.find("## Adding a circuit"), begin = readme.find(fence + "cpp\n", section);
  const std::size_t end = readme.find(fence, begin + fence.size());
  ASSERT_NE(end, std::string::npos);
  const std::size_t code = readme.find('\n', begin) + 1;
  EXPECT_EQ(readme.substr(code, end - code), text_of("models/cells/ugrnn.cpp"));
  EXPECT_NE(text_of("models/cells/cells.cpp").find("CELL(ugrnn)"), std::string::npos);
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/markup.h"

#include <vector>

namespace chiasm::test {

std::string malformation(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != page.npos; at = page.find('<', at)) {
    std::size_t end = at + 1;
    for (bool quoted = false; end < page.size() && (quoted || page[end] != '>'); ++end) {
      if (page[end] == '"') quoted = !quoted;
      if (page[end] == '<') return "'<' inside the tag at byte " + std::to_string(at);
    }
    if (end >= page.size()) return "a tag is never closed at byte " + std::to_string(at);
    const std::string tag = page.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /\n", 1));
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return "unexpected <" + tag + ">";
      open.pop_back();
    } else if (tag[0] != '!' && tag.back() != '/') {
      open.push_back(name);
    }
    at = end;
  }
  return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "engine/path_patterns.h"

#include <algorithm>
#include <iterator>

#include "engine/config/spelling.h"
#include "engine/glob.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// The parts of a path that stand before the first with a wildcard: "conv1/cell" of "conv1/cell/*/weight".
std::string plain_head(std::string_view pattern) {
  const std::string_view head = pattern.substr(0, pattern.find_first_of("*?"));
  return std::string(head.size() == pattern.size() ? head : head.substr(0, head.rfind('/') + 1));
}

// As many parts of a path as `head` has.
std::string same_depth(const std::string& path, const std::string& head) {
  const bool whole_parts = head.ends_with('/');
  auto parts = std::ranges::count(head, '/') + (whole_parts ? 0 : 1);
  std::size_t end = 0;
  for (; parts > 0 && end != std::string::npos; --parts) end = path.find('/', end == 0 ? 0 : end + 1);
  if (end == std::string::npos) return path;
  return path.substr(0, end + (whole_parts ? 1 : 0));
}

// What of the paths the pattern could have meant, quoted; the first of them all where nothing is near.
std::string near_paths(const std::string& pattern, const std::vector<std::string>& paths) {
  constexpr std::size_t kMost = 5;
  std::string near;
  if (const std::string head = plain_head(pattern); !head.empty()) {
    std::vector<std::string> heads;
    for (const std::string& path : paths) heads.push_back(same_depth(path, head));
    near = nearest_name(head, heads).value_or("");
  }
  std::vector<std::string> named;
  std::ranges::copy_if(paths, std::back_inserter(named), [&](const std::string& p) { return p.starts_with(near); });
  std::string text;
  for (std::size_t i = 0; i < std::min(named.size(), kMost); ++i) text += (i ? ", \"" : "\"") + named[i] + "\"";
  if (named.size() > kMost) text += " and " + std::to_string(named.size() - kMost) + " more";
  return (near.empty() ? "the parameters are " : "near it are ") + text;
}

}  // namespace

void require_fit(const std::string& where, const std::string& pattern, const std::vector<std::string>& paths) {
  if (std::ranges::any_of(paths, [&](const std::string& path) { return fits_glob(pattern, path); })) return;
  throw InputError(where + ": no trained parameter has a path that fits \"" + pattern + "\"; " +
                   (paths.empty() ? "there is none at all" : near_paths(pattern, paths)));
}

}  // namespace chiasm

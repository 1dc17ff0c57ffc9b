// SPDX-License-Identifier: Apache-2.0
#include "engine/convert/name_pattern.h"

#include <algorithm>
#include <charconv>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::size_t kLongestName = 1000;  // bounds the time of a match; the longest real names have about 100

bool is_separator(char c) { return c == '.' || c == '/'; }

std::optional<long> number_in(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Text and what is in braces, alternating, beginning with text.
std::vector<std::string> split_braces(const std::string& text) {
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    const bool inside = pieces.size() % 2 == 0;
    if (c == (inside ? '{' : '}')) throw InputError("\"" + text + "\": a brace without its partner");
    if (c == '{' || c == '}') {
      if (inside && pieces.back().empty()) throw InputError("\"" + text + "\": a name is needed between { and }");
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  if (pieces.size() % 2 == 0) throw InputError("\"" + text + "\": a brace without its partner");
  return pieces;
}

}  // namespace

NamePattern::NamePattern(const std::string& text, bool allow_star) : text_(text) {
  using Kind = Part::Kind;
  const std::vector<std::string> pieces = split_braces(text);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i % 2 == 1) {
      if (captures(pieces[i])) throw InputError("\"" + text + "\": {" + pieces[i] + "} is there twice");
      parts_.push_back({Kind::kCapture, pieces[i]});
      continue;
    }
    std::size_t begin = 0;
    for (std::size_t star; (star = pieces[i].find('*', begin)) != std::string::npos; begin = star + 1) {
      if (!allow_star) throw InputError("\"" + text + "\": \"*\" is not allowed here; capture what varies as {name}");
      if (star > begin) parts_.push_back({Kind::kText, pieces[i].substr(begin, star - begin)});
      parts_.push_back({Kind::kStar, ""});
    }
    if (begin < pieces[i].size()) parts_.push_back({Kind::kText, pieces[i].substr(begin)});
  }
}

bool NamePattern::captures(std::string_view name) const {
  return std::ranges::any_of(parts_,
                             [&](const Part& part) { return part.kind == Part::Kind::kCapture && part.text == name; });
}

// Finds from the back which parts can match from which position on, then walks forward. No backtracking: the time is at
// most parts x length.
std::optional<Captures> NamePattern::match(std::string_view name) const {
  using Kind = Part::Kind;
  if (name.size() > kLongestName) return std::nullopt;
  std::vector<std::vector<bool>> possible(parts_.size() + 1, std::vector<bool>(name.size() + 1, false));
  possible.back()[name.size()] = true;
  for (std::size_t p = parts_.size(); p-- > 0;) {
    const Part& part = parts_[p];
    for (std::size_t at = name.size() + 1; at-- > 0;) {
      bool fits = false;
      if (part.kind == Kind::kText) {
        fits = name.substr(at).starts_with(part.text) && possible[p + 1][at + part.text.size()];
      } else if (part.kind == Kind::kStar) {
        fits = possible[p + 1][at] || (at < name.size() && possible[p][at + 1]);
      } else {
        fits = at < name.size() && !is_separator(name[at]) && (possible[p + 1][at + 1] || possible[p][at + 1]);
      }
      possible[p][at] = fits;
    }
  }
  if (!possible[0][0]) return std::nullopt;
  Captures found;
  std::size_t at = 0;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    const std::size_t begin = at;
    if (part.kind == Kind::kText) {
      at += part.text.size();
    } else {
      if (part.kind == Kind::kCapture) ++at;
      while (!possible[p + 1][at]) ++at;
    }
    if (part.kind == Kind::kCapture) found.emplace(part.text, name.substr(begin, at - begin));
  }
  return found;
}

NameTemplate::NameTemplate(const std::string& text, const NamePattern& pattern, const NameTables& tables)
    : text_(text) {
  const std::vector<std::string> pieces = split_braces(text);
  for (std::size_t i = 0; i < pieces.size(); i += 2) {
    Part part;
    part.text = pieces[i];
    if (i + 1 < pieces.size()) {
      const std::string& inside = pieces[i + 1];
      part.name = inside.substr(0, inside.find_first_of("+-|"));
      const std::string rest = inside.substr(part.name.size());
      if (!pattern.captures(part.name)) {
        throw InputError("\"" + text + "\": {" + part.name + "} is not captured by \"" + pattern.text() + "\"");
      }
      if (rest.starts_with("|")) {
        part.table = rest.substr(1);
        if (!tables.contains(part.table))
          throw InputError("\"" + text + "\": there is no table \"" + part.table + "\"");
      } else if (!rest.empty()) {
        const std::optional<long> add = number_in(rest.starts_with("+") ? rest.substr(1) : rest);
        if (!add)
          throw InputError("\"" + text + "\": found \"" + rest + "\", allowed: a number added, such as +1 or -1");
        part.add = *add;
        part.number = true;
      }
    }
    parts_.push_back(std::move(part));
  }
}

std::optional<std::string> NameTemplate::fill(const Captures& captures, const NameTables& tables) const {
  std::string filled;
  for (const Part& part : parts_) {
    filled += part.text;
    if (part.name.empty()) continue;
    const std::string& word = captures.at(part.name);
    if (part.number) {
      const std::optional<long> value = number_in(word);
      if (!value || *value > 1'000'000'000 || *value < 0) return std::nullopt;
      filled += std::to_string(*value + part.add);
    } else if (!part.table.empty()) {
      const auto& table = tables.find(part.table)->second;
      const auto entry = table.find(word);
      if (entry == table.end()) return std::nullopt;
      filled += entry->second;
    } else {
      filled += word;
    }
  }
  return filled;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Patterns of tensor names: "layer{i}.{j}.conv{k}.weight" matches "layer1.0.conv2.weight", and the template
// "conv{i+1}_{j+1}/conv{k}/weight" makes "conv2_1/conv2/weight" of what it captured.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

using Captures = std::map<std::string, std::string, std::less<>>;
// Words by their replacements, by the name of the table.
using NameTables = std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>>;

// "{name}" captures one or more characters other than "." and "/", as few as will do; "*" is anything, of any length.
class NamePattern {
 public:
  // Throws InputError for a brace without its partner, an empty or repeated name, and a "*" that was not allowed.
  explicit NamePattern(const std::string& text, bool allow_star = true);

  const std::string& text() const { return text_; }
  bool captures(std::string_view name) const;
  std::optional<Captures> match(std::string_view name) const;

 private:
  struct Part {
    enum class Kind { kText, kCapture, kStar } kind;
    std::string text;  // itself, or the name of the capture
  };
  std::string text_;
  std::vector<Part> parts_;
};

// "{name}" is a capture, "{name+1}" and "{name-1}" a captured number and a number added, "{name|table}" the replacement
// of a captured word.
class NameTemplate {
 public:
  // Throws InputError for braces as in patterns, for a name that `pattern` does not capture, and for an unknown table.
  NameTemplate(const std::string& text, const NamePattern& pattern, const NameTables& tables);

  const std::string& text() const { return text_; }
  // Nothing when a word is not in its table, or what should be a number is none.
  std::optional<std::string> fill(const Captures& captures, const NameTables& tables) const;

 private:
  struct Part {
    std::string text;  // in front of the capture
    std::string name;  // "": none follows
    long add = 0;
    bool number = false;
    std::string table;
  };
  std::string text_;
  std::vector<Part> parts_;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Reading the results that the verbs leave as JSON. They may be large (a dissimilarity matrix, every unit of every
// layer), and were perhaps written by another version or another program: what is missing or of another type is a
// FileError that names file and field, and what is there besides is left alone. null stands for a number that is not
// defined, and is read as NaN.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

// A handle on one value, which keeps its document alive; cheap to copy.
class ResultNode {
 public:
  // Throws FileError for what is not JSON, or has no object at the top.
  static ResultNode parse(std::string_view text, std::string origin);

  const std::string& path() const { return path_; }  // "layers[2].areas[0]"; "" at the top
  const std::string& origin() const { return *origin_; }

  // This value itself.
  double as_number() const;  // NaN for null
  std::string as_text() const;
  std::vector<double> as_numbers() const;
  std::vector<ResultNode> as_list() const;

  // The value of a key of this object, which has to be there.
  ResultNode at(std::string_view key) const;
  double number(std::string_view key) const { return at(key).as_number(); }
  std::string text(std::string_view key) const { return at(key).as_text(); }
  std::vector<double> numbers(std::string_view key) const { return at(key).as_numbers(); }
  std::vector<ResultNode> list(std::string_view key) const { return at(key).as_list(); }

  // The same where the key may be absent or null.
  std::optional<ResultNode> find(std::string_view key) const;
  double number_or(std::string_view key, double absent) const;
  std::string text_or(std::string_view key, std::string absent) const;
  std::vector<double> numbers_or_none(std::string_view key) const;
  std::vector<ResultNode> list_or_none(std::string_view key) const;

  // Throws a FileError about this value.
  [[noreturn]] void fail(const std::string& allowed) const;

 private:
  ResultNode(std::shared_ptr<const void> document, const void* value, std::string path,
             std::shared_ptr<const std::string> origin);

  std::shared_ptr<const void> document_;
  const void* value_;
  std::string path_;
  std::shared_ptr<const std::string> origin_;
};

}  // namespace chiasm

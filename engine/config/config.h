// SPDX-License-Identifier: Apache-2.0
// Strict reading of a JSON recipe. A Config owns the document, a ConfigNode points at one value in it and knows its
// dotted path; what is read is checked for type and range, and finish() rejects every key that no code asked for. JSON
// may carry
// // and /* */ comments. Everything wrong is a FileError (an InputError) such as
//   recipes/x.json: model.layers[2].kernel: found "abc" (a text), allowed: an integer from 1 to 31
//
// How to read a recipe: ask for every key that is allowed (a getter, a getter with a default, or has()), on the way
// down only into the objects in use, and call finish() at the end. Reading notes which keys were asked for, so one
// Config is for one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

namespace detail {
struct ConfigAccess;
struct ConfigValue;
}  // namespace detail

// Both ends are allowed.
struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

// The ends are allowed unless marked open. Infinite ends mean no bound: JSON has no infinite numbers.
struct RealRange {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool open_min = false;
  bool open_max = false;

  static RealRange positive() { return {.min = 0, .open_min = true}; }
  static RealRange at_least(double min) { return {.min = min}; }
  static RealRange between(double min, double max) { return {.min = min, .max = max}; }
};

// How many items a list may have.
struct ListSize {
  std::size_t min = 0;
  std::size_t max = std::numeric_limits<std::size_t>::max();
};

// A handle on one value; keeps that value (not the Config) alive and is cheap to copy.
class ConfigNode {
 public:
  const std::string& path() const { return path_; }  // "model.layers[2].kernel"; "" at the top
  const std::string& origin() const { return *origin_; }

  bool is_null() const;
  bool is_boolean() const;
  bool is_integer() const;
  bool is_number() const;  // an integer or a real number
  bool is_text() const;
  bool is_list() const;
  bool is_object() const;

  // This value itself, checked. An integer is a real number too; 3.0 is not an integer.
  std::int64_t as_integer(IntegerRange range = {}) const;
  double as_real(RealRange range = {}) const;
  bool as_boolean() const;
  std::string as_text() const;
  std::string as_choice(std::initializer_list<std::string_view> allowed) const;
  std::string as_choice(const std::vector<std::string>& allowed) const;
  std::vector<ConfigNode> as_list(ListSize size = {}) const;
  const ConfigNode& as_object() const;

  // The value of a key of this object: required. An absent key is an error that names it.
  ConfigNode at(std::string_view key) const;
  std::int64_t integer(std::string_view key, IntegerRange range = {}) const { return at(key).as_integer(range); }
  double real(std::string_view key, RealRange range = {}) const { return at(key).as_real(range); }
  bool boolean(std::string_view key) const { return at(key).as_boolean(); }
  std::string text(std::string_view key) const { return at(key).as_text(); }
  std::string choice(std::string_view key, std::initializer_list<std::string_view> allowed) const {
    return at(key).as_choice(allowed);
  }
  std::string choice(std::string_view key, const std::vector<std::string>& allowed) const {
    return at(key).as_choice(allowed);
  }
  std::vector<ConfigNode> list(std::string_view key, ListSize size = {}) const { return at(key).as_list(size); }
  std::vector<std::int64_t> integers(std::string_view key, IntegerRange range = {}, ListSize size = {}) const;
  std::vector<double> reals(std::string_view key, RealRange range = {}, ListSize size = {}) const;
  std::vector<std::string> texts(std::string_view key, ListSize size = {}) const;
  std::vector<ConfigNode> objects(std::string_view key, ListSize size = {}) const;
  ConfigNode object(std::string_view key) const { return at(key).as_object(); }

  // The same with a default for an absent key; the default itself is not checked. A null is not absent.
  std::optional<ConfigNode> find(std::string_view key) const;
  std::int64_t integer_or(std::string_view key, std::int64_t absent, IntegerRange range = {}) const;
  double real_or(std::string_view key, double absent, RealRange range = {}) const;
  bool boolean_or(std::string_view key, bool absent) const;
  std::string text_or(std::string_view key, std::string absent) const;
  std::string choice_or(std::string_view key, std::string absent,
                        std::initializer_list<std::string_view> allowed) const;
  std::string choice_or(std::string_view key, std::string absent, const std::vector<std::string>& allowed) const;
  std::vector<std::int64_t> integers_or(std::string_view key, std::vector<std::int64_t> absent, IntegerRange range = {},
                                        ListSize size = {}) const;
  std::vector<double> reals_or(std::string_view key, std::vector<double> absent, RealRange range = {},
                               ListSize size = {}) const;
  std::vector<std::string> texts_or(std::string_view key, std::vector<std::string> absent, ListSize size = {}) const;
  std::vector<ConfigNode> objects_or_none(std::string_view key, ListSize size = {}) const;  // absent: an empty list

  // Counts as asking for the key: an absent key that was asked for is listed as allowed.
  bool has(std::string_view key) const;
  // Every key present, in file order, all counted as asked for: for objects whose keys are the user's own names.
  std::vector<std::string> keys() const;
  // Takes this whole subtree as it is: finish() does not look into it.
  void accept_all() const;

  // Throws when this object, or an object below it, has a key that was never asked for.
  void finish() const;

  // Throws a FileError at this node: `found` defaults to a rendering of the value, `allowed` completes "allowed: ".
  [[noreturn]] void fail(const std::string& allowed) const;
  // The same with a message of its own, for rules between several fields.
  [[noreturn]] void fail_because(const std::string& message) const;

 private:
  friend class Config;
  ConfigNode(std::shared_ptr<detail::ConfigValue> value, std::string path, std::shared_ptr<const std::string> origin);
  ConfigNode child(std::size_t index) const;
  std::string where(std::string_view key) const;

  std::shared_ptr<detail::ConfigValue> value_;
  std::string path_;
  std::shared_ptr<const std::string> origin_;
};

// A document with an object at the top. Copies share it; clone() does not.
class Config {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  static constexpr int kMaxDepth = 64;  // of nested lists and objects

  // Throws FileError: unreadable, larger than kMaxBytes, nested deeper than kMaxDepth, not JSON (with line and column),
  // a key given twice in one object, not an object at the top.
  static Config load(const std::string& path);
  static Config parse(std::string_view text, std::string origin);
  static Config empty(std::string origin);

  ConfigNode root() const;
  void finish() const { root().finish(); }
  Config clone() const;  // forgets which keys were asked for

  // Sets the value at "a.b[2].c" to `text` read as JSON, or taken as a text when it is not JSON. Objects on the way are
  // created, list items are not; strict reading finds misspelt names later, and errors about the new value name
  // "--set a.b[2].c" as its origin. Nodes taken before keep pointing at the values they had.
  void set(std::string_view path, std::string_view text);
  void assign(std::string_view assignment);  // "a.b[2].c=text"

  // The same for values that a program fills in, such as the defaults of a resolved recipe.
  void set_integer(std::string_view path, std::int64_t value);
  void set_real(std::string_view path, double value);  // throws InputError when not finite
  void set_boolean(std::string_view path, bool value);
  void set_text(std::string_view path, std::string value);

  // JSON, keys in file order, without comments. indent < 0: on one line. load(dump()) is the same document.
  std::string dump(int indent = 2) const;

 private:
  friend struct detail::ConfigAccess;
  Config(std::shared_ptr<detail::ConfigValue> root, std::string origin);
  void put(std::string_view path, std::shared_ptr<detail::ConfigValue> value);

  std::shared_ptr<detail::ConfigValue> root_;
  std::shared_ptr<const std::string> origin_;
};

}  // namespace chiasm

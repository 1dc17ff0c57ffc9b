// SPDX-License-Identifier: Apache-2.0
#include "engine/config/value.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "kernels/error.h"

namespace chiasm::detail {
namespace {

using Json = nlohmann::ordered_json;

std::string line_and_column(std::string_view text, std::size_t bytes_read) {
  const std::string_view read = text.substr(0, std::min(bytes_read, text.size()));
  const auto line = std::count(read.begin(), read.end(), '\n') + 1;
  const std::size_t start = read.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " + std::to_string(std::max<std::size_t>(read.size() - start, 1));
}

// The reason may quote a whole token of the file: cut to what a person reads.
constexpr std::size_t kLongestReason = 200;

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." -> "syntax error ..."
std::string reason_of(const std::string& what) {
  std::string_view reason = what;
  if (const auto end = reason.find("] "); end != reason.npos) reason.remove_prefix(end + 2);
  if (reason.starts_with("parse error at ")) {
    if (const auto end = reason.find(": "); end != reason.npos) reason.remove_prefix(end + 2);
  }
  return std::string(reason.substr(0, kLongestReason));
}

// Receives the parser's events and builds the document. The parser keeps no stack of values, so a deep file costs
// nothing before start() refuses it.
class Builder {
 public:
  Builder(std::string_view text, const std::string& origin, int max_depth)
      : text_(text), origin_(origin), max_depth_(max_depth) {}

  bool null() { return scalar(std::monostate{}); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(std::int64_t value) { return scalar(value); }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return scalar(static_cast<double>(value));
    }
    return scalar(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string&) { return scalar(value); }
  bool string(std::string& value) { return scalar(std::move(value)); }
  bool binary(Json::binary_t&) { throw InternalError("JSON text has no binary values"); }

  bool start_object(std::size_t) { return start(ConfigObject{}); }
  bool start_array(std::size_t) { return start(ConfigList{}); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }
  bool key(std::string& name) {
    auto& object = std::get<ConfigObject>(open_.back()->data);
    if (object.find(name) != nullptr) throw FileError(origin_, path(name), "this key is given twice");
    keys_.back() = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) {
    throw FileError(origin_, line_and_column(text_, position), "not valid JSON: " + reason_of(error.what()));
  }

  ConfigValuePtr take() { return std::move(root_); }

 private:
  template <class T>
  bool scalar(T&& value) {
    add(std::forward<T>(value));
    return true;
  }
  template <class Container>
  bool start(Container&& container) {
    if (static_cast<int>(open_.size()) >= max_depth_) {
      throw FileError(origin_, path(""), "nested deeper than " + std::to_string(max_depth_) + " lists and objects");
    }
    ConfigValue* value = add(std::forward<Container>(container));
    open_.push_back(value);
    keys_.emplace_back();
    return true;
  }
  bool end() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }
  template <class T>
  ConfigValue* add(T&& data) {
    auto value = std::make_shared<ConfigValue>();
    value->data = std::forward<T>(data);
    ConfigValue* result = value.get();
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* list = std::get_if<ConfigList>(&open_.back()->data)) {
      list->items.push_back(std::move(value));
    } else {
      std::get<ConfigObject>(open_.back()->data).add(keys_.back(), std::move(value));
    }
    return result;
  }
  std::string path(const std::string& last) const {
    std::string result;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      if (const auto* list = std::get_if<ConfigList>(&open_[i]->data)) {
        const bool inside = i + 1 < open_.size();
        result += "[" + std::to_string(list->items.size() - (inside ? 1 : 0)) + "]";
        continue;
      }
      const std::string& name = i + 1 == open_.size() && !last.empty() ? last : keys_[i];
      result += (result.empty() ? "" : ".") + name;
    }
    return result;
  }

  std::string_view text_;
  const std::string& origin_;
  int max_depth_;
  ConfigValuePtr root_;
  std::vector<ConfigValue*> open_;  // lists and objects being filled, outermost first
  std::vector<std::string> keys_;   // for each of them, the key being filled (objects only)
};

Json json_of(const ConfigValue& value) {
  struct Visitor {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(bool flag) const { return flag; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(double number) const { return number; }
    Json operator()(const std::string& text) const { return text; }
    Json operator()(const ConfigList& list) const {
      Json result = Json::array();
      for (const auto& item : list.items) result.push_back(json_of(*item));
      return result;
    }
    Json operator()(const ConfigObject& object) const {
      Json result = Json::object();
      auto& members = result.get_ref<Json::object_t&>();
      // Not result[name]: that looks through all members for one of this name first.
      for (std::size_t i = 0; i < object.names.size(); ++i) {
        members.push_back(Json::object_t::value_type(object.names[i], json_of(*object.values[i])));
      }
      return result;
    }
  };
  return std::visit(Visitor{}, value.data);
}

}  // namespace

const std::size_t* ConfigObject::find(const std::string& name) const {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &found->second;
}

void ConfigObject::add(std::string name, ConfigValuePtr value) {
  index.emplace(name, names.size());
  names.push_back(std::move(name));
  values.push_back(std::move(value));
  asked.push_back(false);
}

void ConfigObject::note_absent(std::string_view name) {
  if (std::find(asked_absent.begin(), asked_absent.end(), name) == asked_absent.end()) {
    asked_absent.emplace_back(name);
  }
}

ConfigValuePtr parse_json(std::string_view text, const std::string& origin, int max_depth) {
  Builder builder(text, origin, max_depth);
  Json::sax_parse(text.begin(), text.end(), &builder, Json::input_format_t::json, /*strict=*/true,
                  /*ignore_comments=*/true);
  return builder.take();
}

bool is_json(std::string_view text) { return Json::accept(text.begin(), text.end()); }

std::string dump_json(const ConfigValue& value, int indent) {
  // Texts come from parsed JSON (valid UTF-8) or from a program, whose stray bytes are replaced rather than refused.
  return json_of(value).dump(indent, ' ', false, Json::error_handler_t::replace);
}

ConfigValuePtr copy_of(const ConfigValue& value) {
  auto result = std::make_shared<ConfigValue>();
  result->origin = value.origin;
  if (const auto* list = std::get_if<ConfigList>(&value.data)) {
    ConfigList copy;
    for (const auto& item : list->items) copy.items.push_back(copy_of(*item));
    result->data = std::move(copy);
  } else if (const auto* object = std::get_if<ConfigObject>(&value.data)) {
    ConfigObject copy;
    for (std::size_t i = 0; i < object->names.size(); ++i) copy.add(object->names[i], copy_of(*object->values[i]));
    result->data = std::move(copy);
  } else {
    result->data = value.data;
  }
  return result;
}

int depth_of(const ConfigValue& value) {
  int deepest = 0;
  if (const auto* list = std::get_if<ConfigList>(&value.data)) {
    for (const auto& item : list->items) deepest = std::max(deepest, depth_of(*item));
    return deepest + 1;
  }
  if (const auto* object = std::get_if<ConfigObject>(&value.data)) {
    for (const auto& member : object->values) deepest = std::max(deepest, depth_of(*member));
    return deepest + 1;
  }
  return 0;
}

}  // namespace chiasm::detail

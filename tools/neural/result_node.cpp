// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/result_node.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "kernels/error.h"

namespace chiasm {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestFound = 40;  // bytes of a value that a message repeats
constexpr double kLargest = 1e100;         // charts add and subtract numbers; no result is near this
constexpr const char* kNumber = "a number from -1e100 to 1e100, or null";

const Json& json_at(const void* value) { return *static_cast<const Json*>(value); }

double number_of(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

bool is_number(const Json& json) {
  return json.is_null() || (json.is_number() && std::abs(json.get<double>()) <= kLargest);
}

std::string found(const Json& json) {
  if (json.is_array()) return fmt::format("a list of {}", json.size());
  if (json.is_object()) return "an object";
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kLongestFound) text = text.substr(0, kLongestFound) + "...";
  return text;
}

}  // namespace

ResultNode::ResultNode(std::shared_ptr<const void> document, const void* value, std::string path,
                       std::shared_ptr<const std::string> origin)
    : document_(std::move(document)), value_(value), path_(std::move(path)), origin_(std::move(origin)) {}

ResultNode ResultNode::parse(std::string_view text, std::string origin) {
  auto document = std::make_shared<Json>();
  try {
    *document = Json::parse(text);
  } catch (const Json::parse_error& e) {
    throw FileError(origin, fmt::format("byte {}", e.byte), "not JSON");
  } catch (const Json::exception&) {  // a number beyond all doubles
    throw FileError(origin, "", "not JSON with numbers that a double holds");
  }
  const void* top = document.get();
  ResultNode root(std::move(document), top, "", std::make_shared<const std::string>(std::move(origin)));
  if (!json_at(top).is_object()) root.fail("an object");
  return root;
}

void ResultNode::fail(const std::string& allowed) const {
  throw FileError(*origin_, path_, fmt::format("found {}, allowed: {}", found(json_at(value_)), allowed));
}

double ResultNode::as_number() const {
  const Json& json = json_at(value_);
  if (!is_number(json)) fail(kNumber);
  return number_of(json);
}

std::string ResultNode::as_text() const {
  const Json& json = json_at(value_);
  if (!json.is_string()) fail("a text");
  return json.get<std::string>();
}

std::vector<double> ResultNode::as_numbers() const {
  const Json& json = json_at(value_);
  if (!json.is_array()) fail("a list of numbers");
  std::vector<double> values;
  values.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (!is_number(json[i])) ResultNode(document_, &json[i], fmt::format("{}[{}]", path_, i), origin_).fail(kNumber);
    values.push_back(number_of(json[i]));
  }
  return values;
}

std::vector<ResultNode> ResultNode::as_list() const {
  const Json& json = json_at(value_);
  if (!json.is_array()) fail("a list");
  std::vector<ResultNode> nodes;
  for (std::size_t i = 0; i < json.size(); ++i) {
    nodes.push_back(ResultNode(document_, &json[i], fmt::format("{}[{}]", path_, i), origin_));
  }
  return nodes;
}

ResultNode ResultNode::at(std::string_view key) const {
  const Json& json = json_at(value_);
  if (!json.is_object()) fail("an object");
  const std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  const auto it = json.find(key);
  if (it == json.end()) throw FileError(*origin_, path, "missing");
  return ResultNode(document_, &*it, path, origin_);
}

std::optional<ResultNode> ResultNode::find(std::string_view key) const {
  const Json& json = json_at(value_);
  if (!json.is_object()) fail("an object");
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return std::nullopt;
  return at(key);
}

double ResultNode::number_or(std::string_view key, double absent) const {
  const auto node = find(key);
  return node ? node->as_number() : absent;
}

std::string ResultNode::text_or(std::string_view key, std::string absent) const {
  const auto node = find(key);
  return node ? node->as_text() : absent;
}

std::vector<double> ResultNode::numbers_or_none(std::string_view key) const {
  const auto node = find(key);
  return node ? node->as_numbers() : std::vector<double>();
}

std::vector<ResultNode> ResultNode::list_or_none(std::string_view key) const {
  const auto node = find(key);
  return node ? node->as_list() : std::vector<ResultNode>();
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// MATLAB v5 files as ArrayContainer: arrays within cells and structs have names as in MATLAB, counted from 1 in the
// order of its elements.
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "analysis/data/array_formats.h"
#include "engine/io/matlab.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

using Kind = MatlabValue::Kind;

constexpr std::size_t kMostListed = 10000;

class MatlabArrays final : public ArrayContainer {
 public:
  explicit MatlabArrays(const std::string& path) : ArrayContainer(path), file_(path) {}

  std::vector<std::string> arrays() const override {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < file_.variables().size(); ++i) {
      const MatlabReader::Variable& variable = file_.variables()[i];
      if (variable.kind == Kind::kNumbers) names.push_back(variable.name);
      if (variable.kind == Kind::kCell || variable.kind == Kind::kStruct) collect(value(i), variable.name, names);
    }
    std::ranges::sort(names);
    return names;
  }

  bool has(const std::string& name) const override {
    if (const std::string cell = stacked_cell(name); !cell.empty()) return has_cells(cell);
    const MatlabValue* const found = find(name);
    return found != nullptr && found->kind != Kind::kOther && found->kind != Kind::kStruct;
  }

  Spec spec(const std::string& name) const override {
    // Without reading the values, where the file says it.
    const auto variable = std::ranges::find(file_.variables(), name, &MatlabReader::Variable::name);
    if (variable != file_.variables().end() && variable->kind == Kind::kNumbers) return variable->spec;
    return read(name).spec();
  }

  Tensor read(const std::string& name) const override {
    if (const std::string cell = stacked_cell(name); !cell.empty()) return stack_cells(*this, cell, cells_in(cell));
    const MatlabValue& found = at(name);
    if (found.kind == Kind::kOther) throw FileError(path(), "", matlab_advice(name, found.what));
    if (found.kind != Kind::kNumbers)
      throw FileError(label(name), "", "is " + describe(found) + ", numbers are needed");
    return found.numbers;
  }

  Tensor read_part(const std::string& name, std::int64_t first, std::int64_t count) const override {
    return elements_of(read(name), first, count);
  }

  std::vector<std::string> labels(const std::string& name) const override { return labels_of(at(name), name); }

  std::string unreadable() const override {
    std::string words;
    for (std::size_t i = 0; i < file_.variables().size(); ++i) {
      const MatlabReader::Variable& variable = file_.variables()[i];
      if (variable.kind != Kind::kOther) continue;
      const std::string what = value(i).what;
      words += (words.empty() ? "" : "; ") + matlab_advice(variable.name, what);
    }
    return words;
  }

 private:
  std::size_t cells_in(const std::string& name) const {
    const MatlabValue& cell = at(name);
    if (cell.kind != Kind::kCell) throw FileError(label(name), "", "is " + describe(cell) + ", a cell is needed");
    return cell.elements.size();
  }

  bool has_cells(const std::string& name) const {
    const MatlabValue* const found = find(name);
    return found != nullptr && found->kind == Kind::kCell;
  }

  static std::string describe(const MatlabValue& value) {
    switch (value.kind) {
      case Kind::kNumbers:
        return "an array of numbers";
      case Kind::kTexts:
        return "text";
      case Kind::kCell:
        return "a cell";
      case Kind::kStruct:
        return "a struct";
      case Kind::kOther:
        return value.what;
    }
    return "";
  }

  // One text or number in each cell, rows of text, or numbers.
  std::vector<std::string> labels_of(const MatlabValue& found, const std::string& name) const {
    if (found.kind == Kind::kTexts) return found.texts;
    if (found.kind == Kind::kNumbers) return number_labels(found.numbers);
    if (found.kind != Kind::kCell) {
      throw FileError(label(name), "", "is " + describe(found) + "; texts, numbers or a cell of these are needed");
    }
    std::vector<std::string> labels;
    for (const MatlabValue& element : found.elements) {
      if (element.kind != Kind::kTexts && element.kind != Kind::kNumbers) {
        throw FileError(label(name), "", "has " + describe(element) + " in a cell; a text or a number is needed");
      }
      std::vector<std::string> one = labels_of(element, name);
      if (one.size() != 1) {
        throw FileError(label(name), "", "has " + std::to_string(one.size()) + " values in a cell, one is needed");
      }
      labels.push_back(std::move(one.front()));
    }
    return labels;
  }

  const MatlabValue& value(std::size_t variable) const {
    const auto known = values_.find(variable);
    return known != values_.end() ? known->second : values_.emplace(variable, file_.read(variable)).first->second;
  }

  const MatlabValue& at(const std::string& name) const {
    const MatlabValue* const found = find(name);
    if (found == nullptr) throw_no_array(path(), name, arrays());
    return *found;
  }

  // "variable", then ".field", "(2)" and "{3}" in any order; nullptr when there is no such thing.
  const MatlabValue* find(const std::string& name) const {
    const std::size_t end = std::min(name.find_first_of(".({"), name.size());
    const auto variable = std::ranges::find(file_.variables(), name.substr(0, end), &MatlabReader::Variable::name);
    if (variable == file_.variables().end()) return nullptr;
    const MatlabValue* at = &value(static_cast<std::size_t>(variable - file_.variables().begin()));
    std::int64_t index = -1;  // of an element of a struct, when "(2)" came before
    for (std::size_t i = end; i < name.size();) {
      const bool of_struct = at->kind == Kind::kStruct;
      if (name[i] == '.') {
        const std::size_t stop = std::min(name.find_first_of(".({", i + 1), name.size());
        if (!of_struct || (index < 0 && at->shape.elements() != 1)) return nullptr;
        const auto field = std::ranges::find(at->fields, name.substr(i + 1, stop - i - 1));
        if (field == at->fields.end()) return nullptr;
        at = &at->field(std::max<std::int64_t>(0, index), static_cast<std::size_t>(field - at->fields.begin()));
        index = -1;
        i = stop;
        continue;
      }
      const std::size_t close = name.find(name[i] == '(' ? ')' : '}', i);
      const std::optional<std::int64_t> number =
          close == std::string::npos ? std::nullopt : number_from(name.substr(i + 1, close - i - 1));
      if (!number || *number > at->shape.elements() || index >= 0) return nullptr;
      if (name[i] == '(' && of_struct) {
        index = *number - 1;
      } else if (name[i] == '{' && at->kind == Kind::kCell) {
        at = &at->element(*number - 1);
      } else {
        return nullptr;
      }
      i = close + 1;
    }
    return index >= 0 ? nullptr : at;
  }

  static std::optional<std::int64_t> number_from(const std::string& text) {
    if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) return {};
    const std::int64_t number = std::stoll(text);
    return number == 0 ? std::nullopt : std::optional(number);
  }

  static void collect(const MatlabValue& value, const std::string& name, std::vector<std::string>& names) {
    if (names.size() >= kMostListed) return;
    if (value.kind == Kind::kNumbers) names.push_back(name);
    if (value.kind == Kind::kCell) {
      for (std::int64_t i = 0; i < value.shape.elements(); ++i) {
        collect(value.element(i), name + "{" + std::to_string(i + 1) + "}", names);
      }
    }
    if (value.kind != Kind::kStruct) return;
    for (std::int64_t i = 0; i < value.shape.elements(); ++i) {
      const std::string element = value.shape.elements() == 1 ? name : name + "(" + std::to_string(i + 1) + ")";
      for (std::size_t field = 0; field < value.fields.size(); ++field) {
        collect(value.field(i, field), element + "." + value.fields[field], names);
      }
    }
  }

  MatlabReader file_;
  mutable std::map<std::size_t, MatlabValue> values_;  // of variables that were looked at
};

}  // namespace

std::unique_ptr<ArrayContainer> open_matlab_arrays(const std::string& path) {
  return std::make_unique<MatlabArrays>(path);
}

}  // namespace chiasm

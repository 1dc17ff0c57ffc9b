// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/matlab_cells.h"

#include <charconv>

#include "engine/io/utf8.h"

namespace chiasm {
namespace {

constexpr const char* kPlace = "#refs#";  // the group of what cells hold

}  // namespace

std::vector<std::string> matlab_texts(const std::vector<std::int64_t>& codes, const Shape& shape) {
  const std::size_t rows = shape.rank() == 0 || shape.elements() == 0 ? 1 : static_cast<std::size_t>(shape.at(-1));
  std::vector<std::string> texts(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    std::u32string text;
    for (std::size_t i = row; i < codes.size(); i += rows) text += static_cast<char32_t>(codes[i] & 0xFFFF);
    join_surrogates(text);
    while (!text.empty() && (text.back() == U' ' || text.back() == U'\0')) text.pop_back();
    for (const char32_t code : text) append_utf8(code, texts[row]);
  }
  return texts;
}

bool MatlabCells::is_cell(const std::string& path) const {
  return file_.kind("/" + path) == Hdf5Reader::Kind::kReferences;
}

const std::vector<std::string>& MatlabCells::elements(const std::string& path) const {
  const auto known = known_.find(path);
  if (known != known_.end()) return known->second;
  if (places_.empty() && file_.kind("/" + std::string(kPlace)) == Hdf5Reader::Kind::kGroup) {
    for (const std::string& name : file_.names(kPlace)) {
      const std::string place = std::string(kPlace) + "/" + name;
      if (file_.kind("/" + place) != Hdf5Reader::Kind::kNothing) places_.emplace(file_.address("/" + place), place);
    }
  }
  std::vector<std::string> elements;
  for (const std::uint64_t address : file_.references("/" + path)) {
    const auto place = places_.find(address);
    elements.push_back(place == places_.end() ? "" : place->second);
  }
  return known_.emplace(path, std::move(elements)).first->second;
}

std::string MatlabCells::find(const std::string& name) const {
  std::size_t open = name.find('{');
  std::string at = name.substr(0, open);
  while (open < name.size()) {
    const std::size_t close = std::min(name.find('}', open), name.size());
    const char* const end = name.data() + close;
    std::size_t number = 0;
    const auto [rest, error] = std::from_chars(name.data() + open + 1, end, number);
    if (close == name.size() || error != std::errc() || rest != end || at.empty() || !is_cell(at)) return "";
    const std::vector<std::string>& all = elements(at);
    if (number < 1 || number > all.size()) return "";
    at = all[number - 1];
    open = close + 1;
    if (open < name.size() && name[open] != '{') return "";
  }
  return at;
}

}  // namespace chiasm

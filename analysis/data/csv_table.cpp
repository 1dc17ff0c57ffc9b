// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/csv_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "kernels/error.h"

namespace chiasm {
namespace {

// Whether the header of the first column says that it holds ids.
bool names_ids(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.empty() || name == "id" || name.ends_with("_id") || name.ends_with("_ids")) return true;
  constexpr std::array kNames{"unit", "neuron", "neuroid", "cell", "stimulus", "image", "presentation"};
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace

CsvTable read_csv_table(CsvReader& file, std::vector<std::string> first) {
  CsvTable table;
  const std::size_t width = first.size();
  const auto is_text = [](const std::string& cell) { return !csv_number(cell); };
  const bool header = std::any_of(first.begin() + 1, first.end(), is_text) || names_ids(first.front()) ||
                      (width == 1 && is_text(first.front()));
  bool ids = header && width > 1 && names_ids(first.front());
  std::vector<std::string> row;
  std::vector<double> values;
  std::int64_t rows = 0;
  const auto add = [&](std::vector<std::string>& cells, std::int64_t line) {
    const std::string where = "line " + std::to_string(line);
    if (cells.size() != width) {
      throw FileError(file.path(), where,
                      "has " + std::to_string(cells.size()) + " cells, the first row has " + std::to_string(width));
    }
    if (rows == 0 && width > 1 && !csv_number(cells.front())) ids = true;
    if (ids) table.row_ids.push_back(cells.front());
    for (std::size_t i = ids ? 1 : 0; i < width; ++i) {
      const std::optional<double> number = csv_number(cells[i]);
      if (!number) {
        throw FileError(file.path(), where,
                        "cell " + std::to_string(i + 1) + " is \"" + cells[i].substr(0, 40) + "\", a number is needed");
      }
      values.push_back(*number);
    }
    ++rows;
  };
  if (!header) add(first, file.line());
  while (file.next(row)) add(row, file.line());
  if (values.empty()) throw FileError(file.path(), "", "holds no numbers");
  if (header) table.column_ids.assign(first.begin() + (ids ? 1 : 0), first.end());
  table.values = Tensor::of<double>({rows, std::ssize(values) / rows}, values);
  return table;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// A matrix of numbers as text, with ids at its edges or without.
#pragma once

#include <string>
#include <vector>

#include "engine/io/csv.h"
#include "engine/tensor.h"

namespace chiasm {

struct CsvTable {
  Tensor values;                             // float64 [rows, columns], NaN where nothing stands
  std::vector<std::string> row_ids = {};     // the first column, when it is none of numbers
  std::vector<std::string> column_ids = {};  // the first row, when it is none of numbers
};

// `first` is the first row, which has been read already. The first row holds ids when there is text in it, or nothing
// in its first cell. The first column holds ids when there is
// text in its first number's place, or when the first cell is empty or names ids. Throws FileError naming
// the line for rows of other lengths, and for text among the numbers.
CsvTable read_csv_table(CsvReader& file, std::vector<std::string> first);

}  // namespace chiasm

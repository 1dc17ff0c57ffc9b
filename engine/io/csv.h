// SPDX-License-Identifier: Apache-2.0
// Tables as text (RFC 4180): cells separated by commas, semicolons, tabs or, when there are only numbers, spaces; text
// in double quotes may hold any of these and line ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chiasm {

class CsvReader {
 public:
  // Reads the file. Lines at its beginning that start with '#' are left out. Throws FileError above 4 GiB, and when it
  // holds zeros, as no text does.
  explicit CsvReader(const std::string& path);

  const std::string& path() const { return path_; }
  // The next row that is not empty, without spaces around cells that are not quoted; false at the end. Throws FileError
  // for quotes that do not close. Where ; or tabs separate cells, and the first rows have numbers such as 1,5 and none
  // such as 1.5 (spreadsheets in much of Europe), those are given with a point.
  bool next(std::vector<std::string>& cells);
  // Where the row that next() returned began, counted from 1.
  std::int64_t line() const { return row_line_; }

 private:
  bool read_row(std::vector<std::string>& cells);
  bool has_decimal_commas();
  bool at_line_end() const;
  void skip_line_end();
  std::string quoted_cell();

  std::string path_;
  std::vector<std::byte> bytes_;
  std::string_view text_;
  char separator_ = ',';
  bool decimal_comma_ = false;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  std::int64_t row_line_ = 0;
};

// A cell as a number: NaN where nothing stands, or "nan", "NA", "null" and the like; nullopt for other text.
std::optional<double> csv_number(std::string_view cell);

}  // namespace chiasm

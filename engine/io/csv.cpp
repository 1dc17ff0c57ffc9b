// SPDX-License-Identifier: Apache-2.0
#include "engine/io/csv.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

#include "engine/io/input_file.h"
#include "engine/io/utf8.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 32;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// What separates the cells of a line: the first of these that occurs outside of quotes.
char separator_of(std::string_view line) {
  for (const char separator : {'\t', ';', ','}) {
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == separator && !quoted) return separator;
    }
  }
  // Only numbers are separated by spaces; "unit 1" is one cell.
  const std::string_view start = trimmed(line);
  const bool several = start.find(' ') != std::string_view::npos;
  return several && csv_number(start.substr(0, start.find(' '))) ? ' ' : ',';
}

// Digits with this mark once among them, a sign before and an exponent behind them.
bool is_number_with(char mark, std::string_view cell) {
  if (cell.starts_with('-') || cell.starts_with('+')) cell.remove_prefix(1);
  const std::size_t end = std::min(cell.find_first_of("eE"), cell.size());
  const std::string_view digits = cell.substr(0, end), exponent = cell.substr(end);
  const auto all_digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  };
  const std::size_t at = digits.find(mark);
  if (at == digits.npos || !all_digits(digits.substr(0, at)) || !all_digits(digits.substr(at + 1))) return false;
  return exponent.empty() || all_digits(exponent.substr(exponent.find_first_of("+-") == 1 ? 2 : 1));
}

// What is too large or too small for double: an infinity with its sign, or zero.
double beyond_double(std::string_view cell) {
  long double value = 0;
  const auto [rest, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error == std::errc()) return static_cast<double>(value);
  const std::size_t exponent = cell.find_first_of("eE");
  const bool small = exponent != cell.npos && cell.substr(exponent).find('-') != cell.npos;
  const double size = small ? 0.0 : std::numeric_limits<double>::infinity();
  return cell.starts_with('-') ? -size : size;
}

}  // namespace

std::optional<double> csv_number(std::string_view cell) {
  cell = trimmed(cell);
  std::string word(cell.substr(0, 5));
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* missing : {"", "nan", "na", "n/a", "null", "none", "-nan"}) {
    if (cell.size() <= 4 && word == missing) return std::numeric_limits<double>::quiet_NaN();
  }
  if (cell.starts_with('+')) cell.remove_prefix(1);
  double value = 0;
  const auto [rest, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (rest != cell.data() + cell.size() || cell.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return beyond_double(cell);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

CsvReader::CsvReader(const std::string& path) : path_(path), bytes_(read_file(path, kMostBytes)) {
  text_ = {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  if (const std::string other = other_encoding(text_); !other.empty()) throw FileError(path, "", other);
  if (const std::size_t zero = text_.find('\0'); zero != std::string_view::npos) {
    throw FileError(path, "byte " + std::to_string(zero), "is zero, as in no text");
  }
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a mark of UTF-8
  while (at_ < text_.size() && text_[at_] == '#') {
    at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
    ++line_;
  }
  separator_ = separator_of(text_.substr(at_, text_.find_first_of("\r\n", at_) - at_));
  decimal_comma_ = (separator_ == ';' || separator_ == '\t') && has_decimal_commas();
}

// Looks at the first rows and goes back to where it was.
bool CsvReader::has_decimal_commas() {
  constexpr int kRows = 100;
  const std::size_t at = at_;
  const std::int64_t line = line_;
  std::vector<std::string> cells;
  bool commas = false, points = false;
  try {
    for (int row = 0; row < kRows && read_row(cells); ++row) {
      for (const std::string& cell : cells) {
        commas = commas || is_number_with(',', cell);
        points = points || is_number_with('.', cell);
      }
    }
  } catch (const FileError&) {
    // Said when the row is asked for.
  }
  at_ = at;
  line_ = line;
  return commas && !points;
}

bool CsvReader::at_line_end() const { return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }

void CsvReader::skip_line_end() {
  if (at_ < text_.size() && text_[at_] == '\r') ++at_;
  if (at_ < text_.size() && text_[at_] == '\n') ++at_;
  ++line_;
}

std::string CsvReader::quoted_cell() {
  std::string cell;
  const std::int64_t begin = line_;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] == '"') {
      ++at_;
      if (at_ >= text_.size() || text_[at_] != '"') return cell;
    }
    if (text_[at_] == '\n') ++line_;
    cell += text_[at_];
  }
  throw FileError(path_, "line " + std::to_string(begin), "a quote does not close");
}

bool CsvReader::next(std::vector<std::string>& cells) {
  if (!read_row(cells)) return false;
  for (std::string& cell : cells) {
    if (decimal_comma_ && is_number_with(',', cell)) cell[cell.find(',')] = '.';
  }
  return true;
}

bool CsvReader::read_row(std::vector<std::string>& cells) {
  cells.clear();
  while (at_ < text_.size() && at_line_end()) skip_line_end();
  if (at_ >= text_.size()) return false;
  row_line_ = line_;
  const auto skip_spaces = [&] {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] == '\t' && separator_ != '\t'))) ++at_;
  };
  for (;;) {
    skip_spaces();
    if (separator_ == ' ' && at_line_end() && !cells.empty()) break;
    if (at_ < text_.size() && text_[at_] == '"') {
      cells.push_back(quoted_cell());
      skip_spaces();
      if (!at_line_end() && text_[at_] != separator_ && separator_ != ' ') {
        throw FileError(path_, "line " + std::to_string(line_), "text follows a quote that closed");
      }
    } else {
      const std::size_t end =
          std::min(text_.find_first_of(std::array{separator_, '\r', '\n', '\0'}.data(), at_), text_.size());
      cells.emplace_back(trimmed(text_.substr(at_, end - at_)));
      at_ = end;
    }
    if (at_line_end()) break;
    if (separator_ != ' ') ++at_;
  }
  skip_line_end();
  return true;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// What the sections of a comparison's report.html share: words for numbers, tables, styles of lines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/statistics/summary.h"
#include "tools/neural/result_node.h"

namespace chiasm::report {

inline constexpr std::size_t kStyles = 9;  // s1 to s9
std::string style_of(std::size_t index);

// "0.512"; "not defined" for NaN.
std::string number(double value, int decimals = 3);
std::string count(double value);
// "0.512 ± 0.010", without the second where it is not defined.
std::string with_error(double value, double error);
// "1 unit", "2 units".
std::string plural(double value, const std::string& noun);

// The five forms of a score, as every verb writes them.
struct Form {
  const char* key;
  const char* name;
};
inline constexpr Form kCorrected[] = {{"published", "published form"}, {"plain", "plain form"}};

// What summary_json() writes under a key; NaN and zeros without it.
struct Summarised {
  double median = 0, sem = 0, units = 0, undefined_units = 0;
  bool present = false;
};
Summarised summary_at(const ResultNode& node, const char* key);

std::string area_name(const std::string& area);  // "all units" for ""

class Table {
 public:
  explicit Table(const std::vector<std::string>& headings);
  // The first cell is the heading of the row. Texts are escaped. `strong` makes the row bold.
  void row(const std::vector<std::string>& cells, bool strong = false);
  std::string html() const { return out_ + "</table>\n"; }

 private:
  std::string out_;
};

std::string paragraph(const std::string& text);            // escaped
std::string heading(const std::string& text);              // a sub-heading, escaped
std::string charts(const std::vector<std::string>& svgs);  // side by side where they fit

// Starts of the bins in ms, or their numbers where these are not known.
struct BinAxis {
  std::vector<double> at;
  std::string label;
};
BinAxis bin_axis(const std::vector<double>& starts_ms, std::size_t bins);
// Of a list of objects that have "start_ms" or have not.
BinAxis bin_axis(const std::vector<ResultNode>& bins);

}  // namespace chiasm::report

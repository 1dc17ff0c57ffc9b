// SPDX-License-Identifier: Apache-2.0
// A line chart as inline SVG. Lines carry their names at their right end instead of a legend, as long as they fit
// there, differ by dash as well as by colour, and take all colours from the page's style sheet (classes s1, s2, s3,
// muted), which follows the reader's light or dark setting.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chiasm {

struct ChartPoint {
  double x = 0;
  double y = 0;
};

struct ChartSeries {
  std::string label = {};               // at the right end; empty: none
  std::vector<ChartPoint> points = {};  // x ascending; a y that is not finite breaks the line
  std::string style = "s1";
};

struct ChartGuide {
  double at = 0;
  std::string label = {};
};

struct ChartSpan {  // a shaded interval of x
  double from = 0;
  double to = 0;
  std::string label = {};
};

struct LineChart {
  std::string title = {};    // for screen readers and as tooltip; the page shows its own heading
  std::string x_label = {};  // with the unit
  std::string y_label = {};
  std::vector<ChartSeries> series = {};
  std::vector<ChartGuide> horizontal = {};
  std::vector<ChartGuide> vertical = {};
  std::vector<ChartSpan> spans = {};
  std::optional<std::pair<double, double>> x_range = {};  // otherwise the data's
  std::optional<std::pair<double, double>> y_range = {};  // otherwise round numbers around the data and the guides
  bool whole_x = false;                                   // ticks at integers only
  bool logarithmic_y = false;                             // without y_range; what is not positive is left out
  bool end_labels = true;                                 // otherwise names are tooltips alone
  int width = 600;
  int height = 300;
};

// More points than this are drawn as the mean of equal stretches of x with a band from their minimum to their maximum.
inline constexpr std::size_t kMostChartPoints = 300;

std::string svg_of(const LineChart& chart);

// Whether the names have room at the right end, one below the other.
bool labels_fit(const LineChart& chart);
// Styles for many lines: nine colours, then the same with other dashes.
std::string line_style(std::size_t index);
// The names for a page whose charts have no end labels: a list that scrolls when it is long.
std::string legend_html(const std::vector<ChartSeries>& series);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// A line chart as inline SVG. Lines carry their names at their right end instead of a legend, differ by dash as well as
// by colour, and take all colours from the page's style sheet (classes s1, s2, s3, muted), which follows the reader's
// light or dark setting.
#pragma once

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
  int width = 600;
  int height = 300;
};

// More points than this are drawn as the mean of equal stretches of x with a band from their minimum to their maximum.
inline constexpr std::size_t kMostChartPoints = 300;

std::string svg_of(const LineChart& chart);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// A scatter chart as inline SVG: groups of points joined by lines, each named beside its first point, with error bars
// and the front of the best points; or clouds of points, with the line of equal values. Colours come from the page's
// style sheet, as in a line chart.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/report/label_placement.h"
#include "tools/report/line_chart.h"

namespace chiasm {

struct ScatterPoint {
  double x = 0;
  double y = 0;
  double y_low = 0, y_high = 0;  // the ends of the error bar; equal: none
  bool hollow = false;
};

struct ScatterGroup {
  std::string label = {};
  std::vector<ScatterPoint> points =
      {};  // points that are not finite, or not positive on a logarithmic axis, are left out
  std::string style = "s1";
  bool cloud = false;  // small points that no line joins
};

struct ScatterChart {
  std::string title = {};  // for screen readers and as tooltip
  std::string x_label = {};
  std::string y_label = {};
  bool logarithmic_x = false;
  bool same_axes = false;  // one range for x and y
  bool identity = false;   // the line y = x; sets same_axes
  std::vector<ScatterGroup> groups = {};
  std::vector<ChartPoint> front = {};  // x ascending: drawn as steps, from each point on until the next
  std::string front_label = {};
  // What filled and hollow points are; written into the upper right corner where not empty.
  std::pair<std::string, std::string> legend = {};
  int width = 600;
  int height = 380;
};

// Where things are drawn. Labels are in the order of the groups; a group without points has none.
struct ScatterLayout {
  Box plot = {};
  std::vector<Box> markers = {};
  std::vector<PlacedLabel> labels = {};
  std::vector<std::size_t> labelled = {};  // the group of each label
};
ScatterLayout layout_of(const ScatterChart& chart);

std::string svg_of(const ScatterChart& chart);

}  // namespace chiasm

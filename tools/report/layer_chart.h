// SPDX-License-Identifier: Apache-2.0
// Values by layer, area or animal as inline SVG: names in order along x, values with error bars along y. Names that
// would run into each other are tilted, and of very many only some are written.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/report/line_chart.h"

namespace chiasm {

struct LayerValue {
  double y = 0;        // not finite: left out
  double error = 0;    // half the length of the error bar; not finite or 0: none
  std::size_t at = 0;  // of LayerChart::names
  // The ends of the bar, where it reaches further to one side; instead of `error`.
  std::optional<std::pair<double, double>> ends = {};
  std::string style = {};  // empty: that of the series
};

struct LayerSeries {
  std::string label = {};  // in the legend
  std::vector<LayerValue> values = {};
  std::string style = "s1";
  bool hollow = false;
  bool joined = true;  // by lines, from one name to the next
};

struct LayerBand {  // a shaded interval of y, such as a noise ceiling
  double low = 0, high = 0;
  std::string label = {};
};

struct LayerChart {
  std::string title = {};  // for screen readers and as tooltip
  std::string y_label = {};
  std::vector<std::string> names = {};
  std::vector<LayerSeries> series = {};  // side by side where there are several
  std::vector<ChartGuide> guides = {};
  std::vector<LayerBand> bands = {};
  bool from_zero = true;  // scores are compared with nothing at all
  int width = 600;
  int height = 320;
};

std::string svg_of(const LayerChart& chart);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// The figure of a comparison: accuracy against parameters, against units, and over time; of one network under several
// learning rules, accuracy and alignment by rule instead of the first two (rule_figure.h). Internal to tools/compare.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/comparison.h"
#include "tools/report/scatter_chart.h"

namespace chiasm {

enum class SizeAxis { kParameters, kUnits };

// One group per recipe and rule: its point, then its control's. Error bars are the range over seeds.
ScatterChart accuracy_against(SizeAxis axis, const std::vector<Entry>& entries);
// A line per recipe and rule, from where the image reaches the readout; of controls, those without their recipe.
LineChart accuracy_over_time(const std::vector<Entry>& entries);

std::string figure_html(const std::vector<Entry>& entries);  // a piece of a page
std::string figure_svg(const std::vector<Entry>& entries);   // a file of its own

// Names as they stand in a figure: without what all of them begin with, up to its last '_'.
std::vector<std::string> short_names(const std::vector<std::string>& names);

}  // namespace chiasm

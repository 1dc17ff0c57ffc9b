// SPDX-License-Identifier: Apache-2.0
// What a comparison leaves in its folder:
//   comparison.json  everything, small enough to be kept under version control
//   comparison.csv   one row per run
//   comparison.svg   the figure: accuracy against parameters, against units, and over time; by learning rule, with the
//                    alignment of backward weights
//   comparison.html  the figure and the table, one file that opens offline
#pragma once

#include <string>

#include "tools/compare/comparison.h"

namespace chiasm {

// Throws SystemError; each file is replaced as a whole or not at all.
void write_comparison(const std::string& folder, const Comparison& comparison);

std::string csv_of(const Comparison& comparison);
std::string table_of(const Comparison& comparison);  // for a terminal
std::string figure_of(const Comparison& comparison);
std::string html_of(const Comparison& comparison);

}  // namespace chiasm

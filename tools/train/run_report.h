// SPDX-License-Identifier: Apache-2.0
// report.html of a run: what was trained, how it learned, and how its readout develops over time.
#pragma once

#include <string>

#include "tools/train/evaluator.h"

namespace chiasm {

// Evaluates the network as it is now and writes folder/report.html.
void write_run_report(const Recipe& recipe, const std::string& folder, Evaluator& evaluator);

}  // namespace chiasm

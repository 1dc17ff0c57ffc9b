// SPDX-License-Identifier: Apache-2.0
// report.html of a run: what was trained, how it learned, and how its readout develops over time.
#pragma once

#include <string>

#include "tools/training/evaluator.h"

namespace chiasm {

// Writes folder/report.html. `evaluation` is what evaluator.run() gives for the network as it is now.
void write_run_report(const Recipe& recipe, const std::string& folder, Evaluator& evaluator,
                      const Evaluation& evaluation);

}  // namespace chiasm

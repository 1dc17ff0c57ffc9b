// SPDX-License-Identifier: Apache-2.0
// Training the runs of a comparison, one after the other.
#pragma once

#include "tools/compare/compare_plan.h"

namespace chiasm {

enum class CompareEnd { kDone, kFailed, kInterrupted };

// Trains each run in its folder of request.out and keeps its result there; with `resume`, runs that are done are kept
// and others go on from their snapshots, those that failed included. A run that fails does not stop the others: its
// message becomes its result. The outputs (compare_page.h) are written before the first run and after each.
// An interrupt ends the comparison after a clean snapshot.
// Throws InputError, before anything is trained: the folder cannot be written, holds a comparison and `resume` is not
// set, or holds a run of another recipe.
CompareEnd run_comparison(const CompareRequest& request, std::vector<PlannedRun> runs, Comparison& comparison);

}  // namespace chiasm

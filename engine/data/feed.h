// SPDX-License-Identifier: Apache-2.0
// Feed: a batch as the inputs of a program.
#pragma once

#include "engine/data/batch.h"
#include "engine/program.h"

namespace chiasm {

// Fills every input of `program` that is called as a field of `batch`; floating fields become the input's element type.
// Where the batch is smaller than the program's, its last sample is repeated. Throws ShapeError when a field does not
// fit its input.
void feed(Program& program, const Batch& batch);

}  // namespace chiasm

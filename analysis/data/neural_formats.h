// SPDX-License-Identifier: Apache-2.0
// The readers behind read_neural.h. What they return is checked there.
#pragma once

#include "analysis/data/array_container.h"
#include "analysis/data/read_neural.h"

namespace chiasm {

NeuralDataset read_array_responses(const ArrayContainer& file, const NeuralReadOptions& options);

}  // namespace chiasm

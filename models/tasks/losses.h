// SPDX-License-Identifier: Apache-2.0
// Losses between what a network puts out and numbers that it should, for tasks to share.
#pragma once

#include <string>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

class ConfigNode;

enum class ArrayLoss {
  kSquared,   // (y - t)^2
  kAbsolute,  // |y - t|
  kPoisson,   // y - t log y, of rates y that are kept above 1e-6: minus a log-likelihood but for what y does not change
  kCosine,    // 1 - y.t / (|y| |t|), of all outputs of a sample together
};

// Reads "loss" by name; absent: squared.
ArrayLoss read_array_loss(const ConfigNode& node);
std::string name_of(ArrayLoss loss);

// y and t [N, ...] of one shape -> a loss for each element, [N, ...]; kCosine [N].
Value array_losses(ArrayLoss loss, Value y, Value t);

// x [N, ...] as rows of length 1, [N, features]: x / max(|x|, 1e-12).
Value unit_rows(Value x);
// The product of rows, [N]. REQUIRES: equal shapes [N, features].
Value row_products(Value a, Value b);

}  // namespace chiasm

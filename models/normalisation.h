// SPDX-License-Identifier: Apache-2.0
// Normalisation with a gain and an offset per channel, as cells and stages use it.
#pragma once

#include "engine/scope.h"

namespace chiasm {

struct GainAndOffset {
  Value gain;    // [C], starts at 1
  Value offset;  // [C], starts at 0
};

// Parameters "gain" and "offset" in `scope` for the last axis of x; they carry no L2 term.
GainAndOffset gain_and_offset(const Scope& scope, Value x);

// Layer normalisation over H, W and C of each sample (spec/convrnn.md 2.9).
Value layer_norm(const Scope& scope, Value x, double epsilon = 1e-12);

}  // namespace chiasm

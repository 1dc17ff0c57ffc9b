// SPDX-License-Identifier: Apache-2.0
// Time Decay (spec/convrnn.md 2.1): h' = lambda h + x, with one trainable scalar lambda per layer, starting at 0.
#pragma once

#include "models/cells/cell.h"

namespace chiasm {

class TimeDecayCell final : public Cell {
 public:
  explicit TimeDecayCell(double initial = 0.0) : initial_(initial) {}
  std::vector<Shape> state_shapes(const Shape& x) const override { return {x}; }
  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override;

 private:
  double initial_;
};

std::shared_ptr<const Cell> make_time_decay(const ConfigNode& config);

}  // namespace chiasm

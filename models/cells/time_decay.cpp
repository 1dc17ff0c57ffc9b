// SPDX-License-Identifier: Apache-2.0
// Time Decay (spec/convrnn.md 2.1): h' = lambda h + x, with one trainable scalar lambda per layer.
//   {"type": "time_decay", "initial": 0}
#include "engine/config/config.h"
#include "engine/ops.h"
#include "models/cells/cell.h"

namespace chiasm {
namespace {

class TimeDecay final : public Cell {
 public:
  explicit TimeDecay(const ConfigNode& config) : initial_(config.real_or("initial", 0.0)) {}

  std::vector<Shape> state_shapes(const Shape& x) const override { return {x}; }

  CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const override {
    const LabelScope label(scope.graph(), scope.label());
    const Value lambda = scope.parameter("lambda", {}, Initialiser::constant(initial_));
    const Value h = lambda * state[0] + in.x;
    return {h, {h}};
  }

 private:
  double initial_;
};

}  // namespace

std::shared_ptr<const Cell> make_time_decay(const ConfigNode& config) { return std::make_shared<TimeDecay>(config); }

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Cell: a layer-local recurrent circuit. Its state is a list of values handed in and out at each timestep; a cell
// itself has no memory. Equations are in spec/convrnn.md section 2.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/scope.h"

namespace chiasm {

class ConfigNode;

struct CellInput {
  Value x;            // the layer's input after its pre-cell stages
  Value feedforward;  // the layer's feedforward input before them ("r")
  Value feedback;     // other inputs, resized and concatenated ("F"); absent unless separates_feedback()
};

struct CellStep {
  Value output;
  std::vector<Value> state;
};

class Cell {
 public:
  virtual ~Cell() = default;

  // Shapes of the state, which starts at zero, for an input x of this shape [N, H, W, C].
  virtual std::vector<Shape> state_shapes(const Shape& x) const = 0;
  // One timestep. `state` has the shapes of state_shapes.
  virtual CellStep step(const Scope& scope, const CellInput& in, std::span<const Value> state) const = 0;
  // Whether inputs other than the feedforward one enter through the cell instead of the layer's first stage.
  virtual bool separates_feedback() const { return false; }
};

// The cell that a recipe describes: {"type": "rgc", ...}. Throws FileError naming the field.
std::shared_ptr<const Cell> make_cell(const ConfigNode& config);

}  // namespace chiasm

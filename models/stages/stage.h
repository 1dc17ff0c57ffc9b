// SPDX-License-Identifier: Apache-2.0
// Stage: one operation of a layer before or after its cell. A layer is input -> pre stages -> cell -> post stages.
#pragma once

#include <memory>
#include <string>

#include "engine/scope.h"

namespace chiasm {

class ConfigNode;

struct StageInput {
  Value x;            // what the previous stage made
  Value layer_input;  // the layer's feedforward input, for residual connections
};

class Stage {
 public:
  virtual ~Stage() = default;
  // Throws ShapeError when the stage does not accept x.
  virtual Value apply(const Scope& scope, const StageInput& in) const = 0;
};

struct NamedStage {
  std::string name;  // of its parameters, below the layer's
  std::shared_ptr<const Stage> stage;
};

// The stage that a recipe describes: {"op": "conv", ...}, or an activation by its name alone ("elu"). `name` in the
// result is the op's; the layer makes it unique. Throws FileError naming the field.
NamedStage make_stage(const ConfigNode& config);

}  // namespace chiasm

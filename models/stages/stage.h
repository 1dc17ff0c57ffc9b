// SPDX-License-Identifier: Apache-2.0
// Stage: one operation of a layer before or after its cell. A layer is input -> pre stages -> cell -> post stages.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/scope.h"

namespace chiasm {

class ConfigNode;

struct StageInput {
  Value x;                                            // what the previous stage made
  Value layer_input;                                  // the layer's feedforward input, for residual connections
  std::map<std::string, Value, std::less<>> earlier;  // outputs of the layer's stages before this one, by name
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

// The stages of a list; an absent key is an empty one. `seen` counts the names of the layer: the second of a name gets
// "_2".
std::vector<NamedStage> make_stages(const ConfigNode& owner, std::string_view key, std::map<std::string, int>& seen);

// Applies stages one after the other, each in a child of `scope`: in.x becomes the last output, and in.earlier gets
// all.
void apply_stages(std::span<const NamedStage> stages, const Scope& scope, StageInput& in);

}  // namespace chiasm

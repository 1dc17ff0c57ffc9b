// SPDX-License-Identifier: Apache-2.0
#include "engine/config/config.h"
#include "engine/ops.h"
#include "models/convolution.h"
#include "models/stages/stage_makers.h"

namespace chiasm {
namespace {

Value earlier_output(const Scope& scope, const StageInput& in, const std::string& name) {
  const auto found = in.earlier.find(name);
  if (found != in.earlier.end()) return found->second;
  std::string known;
  for (const auto& [stage, value] : in.earlier) known += (known.empty() ? "" : ", ") + stage;
  throw InputError("[" + scope.path() + "] \"from\" names \"" + name +
                   "\", which is no stage of this layer before the residual one; allowed: " + known);
}

}  // namespace

std::shared_ptr<const Stage> make_residual_stage(const ConfigNode& config) {
  if (!config.has("projection")) {
    if (config.has("from")) config.fail_because("\"from\" says what a \"projection\" is applied to, and none is given");
    return stage_of([](const Scope& scope, const StageInput& in) {
      const Shape& shape = in.x.shape();
      const Shape& input = in.layer_input.shape();
      if (shape.rank() == 4 && input.rank() == 4) return in.x + shortcut(scope, in.layer_input, shape);
      if (input != shape) {
        throw ShapeError("[" + scope.path() + "] cannot add the layer's input " + to_string(input) + " to " +
                         to_string(shape));
      }
      return in.x + in.layer_input;
    });
  }
  std::map<std::string, int> seen;
  const std::vector<NamedStage> projection = make_stages(config, "projection", seen);
  const std::string from = config.text_or("from", "");
  return stage_of([=](const Scope& scope, const StageInput& in) {
    const Value start = from.empty() ? in.layer_input : earlier_output(scope, in, from);
    StageInput shortcut{start, start, {}};
    apply_stages(projection, scope, shortcut);
    if (shortcut.x.shape() != in.x.shape()) {
      throw ShapeError("[" + scope.path() + "] the projection puts out " + to_string(shortcut.x.shape()) +
                       " and the stages before it " + to_string(in.x.shape()));
    }
    return in.x + shortcut.x;
  });
}

}  // namespace chiasm

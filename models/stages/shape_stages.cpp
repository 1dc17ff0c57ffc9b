// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "models/convolution.h"
#include "models/stages/stage_makers.h"

namespace chiasm {

std::shared_ptr<const Stage> make_flatten_stage(const ConfigNode&) {
  return stage_of([](const Scope&, const StageInput& in) {
    const Shape& shape = in.x.shape();
    return reshape(in.x, {shape[0], shape[0] == 0 ? 0 : shape.elements() / shape[0]});
  });
}

std::shared_ptr<const Stage> make_residual_stage(const ConfigNode&) {
  return stage_of([](const Scope& scope, const StageInput& in) {
    const Shape& shape = in.x.shape();
    const Value r = match_size(in.layer_input, shape[1], shape[2]);
    if (r.shape() == shape) return in.x + r;
    const ConvSpec project{.channels = shape[3], .kernel = 1, .bias = false, .init = {InitSpec::Kind::kGlorotUniform}};
    return in.x + convolve(scope, r, project);
  });
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "models/stages/stage_makers.h"

namespace chiasm {

std::shared_ptr<const Stage> make_flatten_stage(const ConfigNode&) {
  return stage_of([](const Scope&, const StageInput& in) {
    const Shape& shape = in.x.shape();
    return reshape(in.x, {shape[0], shape[0] == 0 ? 0 : shape.elements() / shape[0]});
  });
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "models/parsing.h"
#include "models/stages/stage_makers.h"

namespace chiasm {

std::shared_ptr<const Stage> make_flatten_stage(const ConfigNode&) {
  return stage_of([](const Scope&, const StageInput& in) {
    const Shape& shape = in.x.shape();
    return reshape(in.x, {shape[0], shape[0] == 0 ? 0 : shape.elements() / shape[0]});
  });
}

std::shared_ptr<const Stage> make_reshape_stage(const ConfigNode& config) {
  const std::vector<std::int64_t> sizes = config.integers("shape", {1, 1 << 24}, {1, 3});
  return stage_of([sizes](const Scope&, const StageInput& in) {
    std::vector<std::int64_t> shape{in.x.shape()[0]};
    shape.insert(shape.end(), sizes.begin(), sizes.end());
    return reshape(in.x, Shape(shape));
  });
}

}  // namespace chiasm

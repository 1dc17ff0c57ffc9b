// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"
#include "kernels/normalization/batch_norm.h"
#include "kernels/normalization/batch_norm_inference.h"
#include "kernels/normalization/local_response_norm.h"
#include "models/normalisation.h"
#include "models/parsing.h"
#include "models/stages/stage_makers.h"

namespace chiasm {
std::shared_ptr<const Stage> make_batch_norm_stage(const ConfigNode& config) {
  const double momentum = config.real_or("momentum", 0.9, RealRange::between(0.0, 1.0));
  const double epsilon = config.real_or("epsilon", 1e-5, RealRange::positive());
  return stage_of([=](const Scope& scope, const StageInput& in) {
    const auto [gain, offset] = gain_and_offset(scope, in.x);
    const Shape channels = gain.shape();
    const Value mean = scope.statistic("running_mean", channels, 0.0);
    const Value variance = scope.statistic("running_variance", channels, 1.0);
    if (!scope.training()) {
      return scope.graph().apply(BatchNormInference{.epsilon = epsilon}, {in.x, gain, offset, mean, variance});
    }
    const std::vector<Value> out =
        scope.graph().apply_all(make_op(BatchNorm{.epsilon = epsilon}), std::vector<Value>{in.x, gain, offset});
    const auto blend = [&](Value running, Value batch) {
      return affine(running, momentum, 0.0) + affine(batch, 1.0 - momentum, 0.0);
    };
    scope.update_statistic("running_mean", blend(mean, out[1]));
    scope.update_statistic("running_variance", blend(variance, out[2]));
    return out[0];
  });
}

std::shared_ptr<const Stage> make_layer_norm_stage(const ConfigNode& config) {
  const double epsilon = config.real_or("epsilon", 1e-12, RealRange::positive());
  return stage_of([=](const Scope& scope, const StageInput& in) { return layer_norm(scope, in.x, epsilon); });
}

std::shared_ptr<const Stage> make_local_response_norm_stage(const ConfigNode& config) {
  LocalResponseNorm op;
  op.radius = static_cast<int>(config.integer_or("radius", 5, {1, 1024}));
  op.bias = config.real_or("bias", 1.0, RealRange::positive());
  op.alpha = config.real_or("alpha", 1e-4, RealRange::at_least(0.0));
  op.beta = config.real_or("beta", 0.75);
  return stage_of([op](const Scope& scope, const StageInput& in) { return scope.graph().apply(op, {in.x}); });
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "models/normalisation.h"

#include "kernels/normalization/layer_norm.h"

namespace chiasm {

GainAndOffset gain_and_offset(const Scope& scope, Value x) {
  const Shape channels{x.shape().at(-1)};
  return {scope.parameter("gain", channels, Initialiser::constant(1.0)),
          scope.parameter("offset", channels, Initialiser::constant(0.0))};
}

Value layer_norm(const Scope& scope, Value x, double epsilon) {
  const auto [gain, offset] = gain_and_offset(scope, x);
  return scope.graph().apply(LayerNorm{.epsilon = epsilon}, {x, gain, offset});
}

}  // namespace chiasm

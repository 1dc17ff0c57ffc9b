// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/two_layer_flow.h"

#include <vector>

#include "kernels/vendor/lapack.h"

namespace chiasm {

TwoLayerFlow::State TwoLayerFlow::velocity(const State& state) const {
  const double rho = residual(state);
  const double w2 = state.w1 * rho;
  switch (rule_) {
    case Rule::kBackprop:
      return {state.w2 * rho, w2, w2};
    case Rule::kFeedbackAlignment:
      return {state.b * rho, w2, 0.0};
    case Rule::kSymmetricAlignment:
      return {state.b * rho, w2, state.w2 - state.b};
  }
  return {};
}

TwoLayerFlow::Matrix TwoLayerFlow::stability(const State& state) const {
  const auto [w1, w2, b] = state;
  const double rho = residual(state);
  if (rule_ == Rule::kBackprop) {
    return {{{s_ * w2 * w2, s_ * w1 * w2 - rho, 0.0}, {s_ * w1 * w2 - rho, s_ * w1 * w1, 0.0}, {0.0, 0.0, 0.0}}};
  }
  Matrix h{{{s_ * b * w2, s_ * b * w1, -rho}, {s_ * w1 * w2 - rho, s_ * w1 * w1, 0.0}, {0.0, 0.0, 0.0}}};
  if (rule_ == Rule::kSymmetricAlignment) h[2] = {0.0, -1.0, 1.0};
  return h;
}

std::array<std::complex<double>, TwoLayerFlow::kSize> TwoLayerFlow::eigenvalues(const State& state) const {
  const Matrix h = stability(state);
  const int size = rule_ == Rule::kBackprop ? 2 : kSize;
  std::vector<double> a;
  for (int i = 0; i < size; ++i) a.insert(a.end(), h[i].begin(), h[i].begin() + size);
  std::array<std::complex<double>, kSize> values{};
  general_eigenvalues(size, a.data(), values.data());
  return values;
}

double TwoLayerFlow::conserved(const State& state) const {
  return rule_ == Rule::kBackprop ? state.w1 * state.w1 - state.w2 * state.w2
                                  : 0.5 * state.w1 * state.w1 - state.b * state.w2;
}

}  // namespace chiasm

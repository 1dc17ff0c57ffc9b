// SPDX-License-Identifier: Apache-2.0
#include "kernels/loss/sigmoid_cross_entropy.h"

#include "kernels/elementwise/approximations.h"
#include "models/objectives/objective.h"

namespace chiasm {
namespace {

Value losses(Value logits, Value label) { return logits.graph().apply(SigmoidCrossEntropy{}, {logits, label}); }

double loss(std::span<const double> logits, std::int32_t label) {
  double sum = 0.0;
  for (std::size_t k = 0; k < logits.size(); ++k) {
    sum += approx::softplus(k == static_cast<std::size_t>(label) ? -logits[k] : logits[k]);
  }
  return sum;
}

std::vector<double> probabilities(std::span<const double> logits) {
  std::vector<double> p;
  for (double logit : logits) p.push_back(approx::sigmoid(logit));
  return p;
}

}  // namespace

Objective sigmoid_cross_entropy() { return {"sigmoid_cross_entropy", losses, loss, probabilities}; }

}  // namespace chiasm

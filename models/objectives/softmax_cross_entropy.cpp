// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/loss/cross_entropy.h"
#include "models/objectives/objective.h"

namespace chiasm {
namespace {

Value losses(Value logits, Value label) { return logits.graph().apply(CrossEntropy{}, {logits, label}); }

double log_likelihood(std::span<const double> logits, std::size_t label) {
  const double best = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (double logit : logits) sum += std::exp(logit - best);
  return logits[label] - best - std::log(sum);
}

double loss(std::span<const double> logits, std::int32_t label) {
  return -log_likelihood(logits, static_cast<std::size_t>(label));
}

std::vector<double> probabilities(std::span<const double> logits) {
  std::vector<double> p;
  for (std::size_t k = 0; k < logits.size(); ++k) p.push_back(std::exp(log_likelihood(logits, k)));
  return p;
}

}  // namespace

Objective softmax_cross_entropy() { return {"softmax_cross_entropy", losses, loss, probabilities}; }

}  // namespace chiasm

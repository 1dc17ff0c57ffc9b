// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/operation_chain.h"

#include <array>
#include <limits>
#include <numeric>

#include "engine/node_specs.h"
#include "engine/ops.h"
#include "kernels/elementwise/map.h"
#include "kernels/reduction/mean.h"
#include "kernels/reduction/sum.h"

namespace chiasm {
namespace {

constexpr double kSmallestSquare = 1e-12;  // of a norm

std::vector<int> feature_axes(Value v) {
  std::vector<int> axes(static_cast<std::size_t>(v.shape().rank() - 1));
  std::iota(axes.begin(), axes.end(), 1);
  return axes;
}

// Both are projections, and symmetric: each is its own derivative.
Value minus_feature_mean(Value v) { return v - v.graph().apply(Mean{.axes = feature_axes(v), .keep_axes = true}, {v}); }
Value minus_batch_mean(Value v) { return v - v.graph().apply(Mean{.axes = {0}, .keep_axes = true}, {v}); }

Value feature_sum(Value v) { return v.graph().apply(Sum{.axes = feature_axes(v), .keep_axes = true}, {v}); }

}  // namespace

void OperationChain::add_constant(Value c) { value_ = value_ + c; }

void OperationChain::activate(OpPtr function) {
  const Value x = value_;
  const Value y = x.graph().apply(function, std::array{x});
  value_ = y;
  pulls_.emplace_back([=](Value g) {
    const GradientRule rule = function->gradient(0);
    if (rule.kind == GradientRule::Kind::kPassThrough) return g;
    std::vector<Value> reads{g};
    if (!rule.inputs.empty()) reads.push_back(x);
    if (!rule.outputs.empty()) reads.push_back(y);
    return g.graph().apply(function->gradient_op(0, std::array{x.spec()}, std::array{y.spec()}), reads);
  });
}

void OperationChain::centre_features() {
  value_ = minus_feature_mean(value_);
  pulls_.emplace_back(minus_feature_mean);
}

void OperationChain::normalise_features() {
  const Value centred = minus_feature_mean(value_);
  Graph& graph = centred.graph();
  const Value square = feature_sum(graph.apply(Map<Square>{}, {centred}));
  const Value limited =
      graph.apply(Map<Clip>{{.low = kSmallestSquare, .high = std::numeric_limits<double>::infinity()}}, {square});
  const Value norm = graph.apply(Map<Sqrt>{}, {limited});
  const Value unit = centred / norm;
  // Where the limit holds, the norm is a constant.
  const Value free = relu(affine(square, 1.0, -kSmallestSquare));
  value_ = unit;
  pulls_.emplace_back([=](Value g) {
    const Value along = feature_sum(unit * g);
    const Value zero = fill(along.graph(), along.spec(), 0.0);
    const Value kept = along.graph().apply(Map<Select>{}, {free, along, zero});
    return minus_feature_mean((g - unit * kept) / norm);
  });
}

void OperationChain::centre_batch() {
  value_ = minus_batch_mean(value_);
  pulls_.emplace_back(minus_batch_mean);
}

Value OperationChain::pull_back(Value gradient) const {
  for (auto pull = pulls_.rbegin(); pull != pulls_.rend(); ++pull) gradient = (*pull)(gradient);
  return gradient;
}

}  // namespace chiasm

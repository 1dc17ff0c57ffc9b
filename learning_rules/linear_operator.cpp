// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/linear_operator.h"

#include <array>

#include "engine/node_specs.h"

namespace chiasm {
namespace {

bool reads_only(const GradientRule& rule, int input) {
  return rule.kind == GradientRule::Kind::kKernel && rule.inputs == std::vector<int>{input} && rule.outputs.empty();
}

}  // namespace

bool is_linear_operator(const AnyOp& op) {
  return !op.is_gradient() && reads_only(op.gradient(0), 2) && reads_only(op.gradient(1), 0) &&
         op.gradient(2).kind == GradientRule::Kind::kNone;
}

LinearOperator::LinearOperator(const Graph& graph, const Node& node)
    : op_(node.op), in_(input_specs(graph, node)), out_(output_specs(graph, node)) {}

Value LinearOperator::forward(Value x, Value weight) const {
  return x.graph().apply(op_, std::array{x, weight, weight});
}

Value LinearOperator::transpose(Value y, Value weight) const {
  return y.graph().apply(op_->gradient_op(0, in_, out_), std::array{y, weight});
}

Value LinearOperator::correlate(Value x, Value y) const {
  return x.graph().apply(op_->gradient_op(1, in_, out_), std::array{y, x});
}

}  // namespace chiasm

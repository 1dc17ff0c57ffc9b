// SPDX-License-Identifier: Apache-2.0
// LinearOperator: a node of the graph that is linear in its input and in its weight, and has a backward weight: Linear,
// Conv2d, ConvTranspose2d. Rules need three products of it, and each op has them: its forward pass, the gradient of its
// input and the gradient of its weight. Strides, padding and groups are the op's affair.
#pragma once

#include <vector>

#include "engine/graph.h"

namespace chiasm {

// Whether an op is one, which its gradients say: inputs are x, weight, weight_backward; the gradient of x reads
// weight_backward, that of weight reads x, and nothing flows to weight_backward.
bool is_linear_operator(const AnyOp& op);

class LinearOperator {
 public:
  // REQUIRES: is_linear_operator(*node.op).
  LinearOperator(const Graph& graph, const Node& node);

  // In matrix notation, with x [n_in], y [n_out] and a weight in the layout of the op:
  Value forward(Value x, Value weight) const;    // W x
  Value transpose(Value y, Value weight) const;  // W^T y, in the shape of x
  Value correlate(Value x, Value y) const;       // sum over samples of x y^T, in the layout of the weight

 private:
  OpPtr op_;
  std::vector<Spec> in_, out_;
};

}  // namespace chiasm

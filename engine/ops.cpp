// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"

#include "kernels/convolution/conv2d.h"
#include "kernels/elementwise/fill.h"
#include "kernels/elementwise/map.h"
#include "kernels/indexing/concat.h"
#include "kernels/indexing/reshape.h"
#include "kernels/linear/linear.h"

namespace chiasm {

Value operator+(Value a, Value b) { return a.graph().apply(Map<Add>{}, {a, b}); }
Value operator-(Value a, Value b) { return a.graph().apply(Map<Subtract>{}, {a, b}); }
Value operator*(Value a, Value b) { return a.graph().apply(Map<Multiply>{}, {a, b}); }
Value operator/(Value a, Value b) { return a.graph().apply(Map<Divide>{}, {a, b}); }
Value operator-(Value x) { return x.graph().apply(Map<Negate>{}, {x}); }
Value affine(Value x, double scale, double shift) { return x.graph().apply(Map<Affine>{{scale, shift}}, {x}); }
Value sigmoid(Value x) { return x.graph().apply(Map<Sigmoid>{}, {x}); }
Value tanh(Value x) { return x.graph().apply(Map<Tanh>{}, {x}); }
Value relu(Value x) { return x.graph().apply(Map<Relu>{}, {x}); }
Value elu(Value x) { return x.graph().apply(Map<Elu>{}, {x}); }

Value fill(Graph& graph, const Spec& spec, double value) { return graph.apply(Fill{spec, value}, {}); }
Value reshape(Value x, const Shape& shape) { return x.shape() == shape ? x : x.graph().apply(Reshape{shape}, {x}); }
Value concat(std::span<const Value> parts, int axis) {
  return parts.size() == 1 ? parts[0] : parts[0].graph().apply(make_op(Concat{axis}), parts);
}

Value linear(Value x, const Weight& weight) { return x.graph().apply(Linear{}, {x, weight.forward, weight.backward}); }
Value conv2d(Value x, const Weight& weight, const Conv2d& op) {
  return x.graph().apply(op, {x, weight.forward, weight.backward});
}

}  // namespace chiasm

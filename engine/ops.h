// SPDX-License-Identifier: Apache-2.0
// One-line functions over Graph::apply, for building models. Shapes: images [N, H, W, C]. Each throws ShapeError when
// the op does not accept its inputs.
#pragma once

#include <span>

#include "engine/scope.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/fill.h"
#include "kernels/elementwise/map.h"
#include "kernels/indexing/broadcast.h"
#include "kernels/indexing/concat.h"
#include "kernels/indexing/reshape.h"
#include "kernels/linear/linear.h"

namespace chiasm {

inline Value operator+(Value a, Value b) { return a.graph().apply(Map<Add>{}, {a, b}); }
inline Value operator-(Value a, Value b) { return a.graph().apply(Map<Subtract>{}, {a, b}); }
inline Value operator*(Value a, Value b) { return a.graph().apply(Map<Multiply>{}, {a, b}); }
inline Value operator/(Value a, Value b) { return a.graph().apply(Map<Divide>{}, {a, b}); }
inline Value operator-(Value x) { return x.graph().apply(Map<Negate>{}, {x}); }
inline Value affine(Value x, double scale, double shift) { return x.graph().apply(Map<Affine>{{scale, shift}}, {x}); }
inline Value sigmoid(Value x) { return x.graph().apply(Map<Sigmoid>{}, {x}); }
inline Value tanh(Value x) { return x.graph().apply(Map<Tanh>{}, {x}); }
inline Value relu(Value x) { return x.graph().apply(Map<Relu>{}, {x}); }
inline Value elu(Value x) { return x.graph().apply(Map<Elu>{}, {x}); }

inline Value fill(Graph& graph, const Spec& spec, double value) { return graph.apply(Fill{spec, value}, {}); }
inline Value reshape(Value x, const Shape& shape) {
  return x.shape() == shape ? x : x.graph().apply(Reshape{shape}, {x});
}
inline Value concat(std::span<const Value> parts, int axis) {
  return parts.size() == 1 ? parts[0] : parts[0].graph().apply(make_op(Concat{axis}), parts);
}

// x [..., in] * weight [in, out] -> [..., out]
inline Value linear(Value x, const Weight& weight) {
  return x.graph().apply(Linear{}, {x, weight.forward, weight.backward});
}
// x [N, H, W, Cin], weight [kh, kw, Cin / groups, Cout] -> [N, H', W', Cout]
inline Value conv2d(Value x, const Weight& weight, const Conv2d& op) {
  return x.graph().apply(op, {x, weight.forward, weight.backward});
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Common ops as functions of values, for building models; compiled once, in ops.cpp. Shapes: images [N, H, W, C]. Each
// throws ShapeError when the op does not accept its inputs.
#pragma once

#include <span>

#include "engine/scope.h"

namespace chiasm {

struct Conv2d;

Value operator+(Value a, Value b);
Value operator-(Value a, Value b);
Value operator*(Value a, Value b);
Value operator/(Value a, Value b);
Value operator-(Value x);
Value affine(Value x, double scale, double shift);
Value sigmoid(Value x);
Value tanh(Value x);
Value relu(Value x);
Value elu(Value x);

Value fill(Graph& graph, const Spec& spec, double value);
Value reshape(Value x, const Shape& shape);
Value concat(std::span<const Value> parts, int axis);

// x [..., in] * weight [in, out] -> [..., out]
Value linear(Value x, const Weight& weight);
// x [N, H, W, Cin], weight [kh, kw, Cin / groups, Cout] -> [N, H', W', Cout]
Value conv2d(Value x, const Weight& weight, const Conv2d& op);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Primitives: the layer-wise terms that learning rules are sums of (spec/learning_rules.md 3.1, canonical convention:
// means over the batch, sums over every other axis and over the applications of a weight; the halves are in). In matrix
// notation, for a layer with input x, forward weight W and backward weight B:
//   y   W x after the forward-output operations: what the layer is taken to say
//   q   B^T x after the backward-output operations: the backward projection
//   r   B y after the forward-output operations: the reconstruction of x
// In memory B has the layout of W, so that B aligned with W is B equal to W.
#pragma once

#include <string_view>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

// Of one application, or of the weight alone: what is not used is null.
struct LayerSignals {
  Value y, q, r;
  Value forward, backward;
  Value task_gradient;  // of the task's loss with respect to the forward weight, summed over applications
  double samples = 1.0;
};

// factor * signal.
struct ScaledSignal {
  Value signal;
  double factor = 1.0;
};

struct Primitive {
  // What the derivative is taken with respect to: the primitive is a function of it, everything else is a constant.
  enum class Of {
    kBackwardWeight,
    kProjection,      // q
    kReconstruction,  // r
    kTaskGradient,    // B, by way of the errors of the task
  };

  std::string_view name;
  std::string_view value_formula, gradient_formula;  // the gradient: that of B
  std::string_view meaning;
  bool local = true;
  std::string_view cost;  // beside what the layer computes anyhow
  Of of = Of::kBackwardWeight;
  Value (*value)(const LayerSignals&);            // []; of a primitive of q or r, the share of one application
  ScaledSignal (*gradient)(const LayerSignals&);  // with respect to `of`
};

// In the order of the specification: decay, amp, null, sparse, self, angle.
const std::vector<const Primitive*>& all_primitives();
// Throws InputError with the known names.
const Primitive& primitive_of(std::string_view name);

// sum a b, and sum a^2: [].
Value inner_product(Value a, Value b);
Value squared_norm(Value a);

}  // namespace chiasm

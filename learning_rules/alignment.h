// SPDX-License-Identifier: Apache-2.0
// The alignment term of a layer as nodes of the graph, in the data flow of spec/learning_rules.md section 5. Inputs,
// forward weight and bias are constants in it: nothing but the backward weight receives a gradient.
#pragma once

#include <cstdint>
#include <functional>

#include "learning_rules/learning_rule.h"
#include "learning_rules/plastic_layers.h"

namespace chiasm {

// What an alignment term is built with.
struct AlignmentContext {
  std::uint64_t seed = 0;
  // The input of the graph that holds a coefficient which changes over training; asked for when one is met.
  std::function<Value(const RuleTerm&)> coefficient = {};
  double layer_l2 = 0.0;  // of the forward weight: what Coefficient::layer_l2 stands for
};

// R of the layer: [].
Value alignment_value(const PlasticLayer& layer, const LearningRule& rule, const AlignmentContext& context);
// dR/dB, in the shape of the weight. `angle` has no part in it: see riding_gradient. Contributions of applications are
// added in their order.
Value alignment_gradient(const PlasticLayer& layer, const LearningRule& rule, const AlignmentContext& context);
// Of a rule that rides on the task's optimizer: the gradient of B, given that of W.
Value riding_gradient(const PlasticLayer& layer, const LearningRule& rule, const AlignmentContext& context,
                      Value task_gradient);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// PlasticLayer: a weight of the network and every place where it is applied, found in the graph, so that rules know
// nothing of layers, cells and timesteps.
#pragma once

#include <string>
#include <vector>

#include "learning_rules/linear_operator.h"

namespace chiasm {

// One application of a weight: one timestep of a recurrent network.
struct Application {
  LinearOperator op;
  Value x;     // what the operator receives
  Value z;     // what it gives, before bias
  Value bias;  // added to z right away; null: none
  // The element-wise function that follows z, its bias and its batch normalisation; the sigmoid where that is what a
  // sigmoid cross-entropy reads (spec/learning_rules.md 9.3: outputs are sigmoid units). Null: none.
  OpPtr activation;
  std::string label;
};

struct PlasticLayer {
  std::string path;  // of the forward weight: "conv4/cell/tau/pointwise"
  Value forward;
  Value backward;                         // what errors are multiplied by; `forward` itself where the weights are tied
  std::vector<Application> applications;  // in the order of the graph

  bool tied() const { return forward == backward; }
};

// Of the parameters that `loss` depends on through linear operators, in the order of their first application. Only
// applications that the loss depends on count: what a network computes after its last decoded step trains nothing.
// Operators whose weight is not a state of the graph itself are left out.
std::vector<PlasticLayer> find_plastic_layers(Value loss);

}  // namespace chiasm

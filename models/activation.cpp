// SPDX-License-Identifier: Apache-2.0
#include "models/activation.h"

#include "kernels/elementwise/map.h"

namespace chiasm {

Value activate(Value x, Activation activation) {
  switch (activation) {
    case Activation::kIdentity:
      return x;
    case Activation::kRelu:
      return x.graph().apply(Map<Relu>{}, {x});
    case Activation::kElu:
      return x.graph().apply(Map<Elu>{}, {x});
    case Activation::kSigmoid:
      return x.graph().apply(Map<Sigmoid>{}, {x});
    case Activation::kTanh:
      return x.graph().apply(Map<Tanh>{}, {x});
    case Activation::kSoftplus:
      return x.graph().apply(Map<Softplus>{}, {x});
    case Activation::kRelu6:
      return x.graph().apply(Map<Clip>{{.low = 0.0, .high = 6.0}}, {x});
  }
  throw InternalError("unknown activation");
}

// In the order of the enumeration.
const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names{"identity", "relu", "elu", "sigmoid", "tanh", "softplus", "relu6"};
  return names;
}

Activation activation_of(std::string_view name) {
  const std::vector<std::string>& names = activation_names();
  std::string known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Activation>(i);
    known += (i == 0 ? "" : ", ") + names[i];
  }
  throw InputError("unknown activation \"" + std::string(name) + "\"; allowed: " + known);
}

}  // namespace chiasm

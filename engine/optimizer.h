// SPDX-License-Identifier: Apache-2.0
// Optimizers append parameter updates to the graph, so that a training step is one program. Their state (velocities,
// moments) is declared as parameters "optimizer/<what>/<path>" and saved with the model.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "engine/graph.h"
#include "engine/parameters.h"

namespace chiasm {

struct Sgd {
  double momentum = 0.0;
  bool nesterov = false;
};

struct Adam {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  bool epsilon_inside = false;  // TensorFlow's "epsilon hat" instead of sqrt(v_hat) + epsilon
};

struct Optimizer {
  std::variant<Sgd, Adam> rule = Sgd{};
  std::optional<double> clip = {};  // gradients are limited element by element to [-clip, clip]
};

// Assigns the next value of every parameter with role kForward that `graph` uses, from the gradient of `loss`; each
// parameter's own L2 term is added to its gradient (after clipping). Adds the graph inputs "learning_rate" (float64 []
// or float32 [], as the parameters) and, for Adam, "step" (int32 [], counting from 1).
void append_updates(Value loss, Parameters& parameters, const Optimizer& optimizer);

// Whether the parameter of this name is the state of an optimizer.
bool is_optimizer_state(std::string_view parameter);

}  // namespace chiasm

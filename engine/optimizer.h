// SPDX-License-Identifier: Apache-2.0
// Optimizers append parameter updates to the graph, so that a training step is one program. Their state (velocities,
// moments) is declared as parameters "optimizer/<what>/<path>" and saved with the model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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

// Added to every element that an optimizer has updated: the learning rate times a random number of mean 0, drawn anew
// at every step (spec/learning_rules.md 7.5).
struct UpdateNoise {
  double variance = 0.0;  // 0: none
  bool uniform = false;   // normal otherwise
  std::uint64_t seed = 0;
  bool operator==(const UpdateNoise&) const = default;
};

// One of the optimizers of a training step.
struct Update {
  Optimizer optimizer;
  std::string learning_rate = "learning_rate";  // graph input, floating []
  std::string step = "step";                    // graph input, int32 [], counting from 1; of Adam
  UpdateNoise noise = {};
};

// Assigns the next value of `parameter` and of its optimizer state. A null gradient is one of zero without an L2 term:
// the optimizer coasts. Makes the inputs it needs, and "draw" (graph_inputs.h) for noise.
void append_update(Graph& graph, Parameters& parameters, const Parameter& parameter, Value gradient,
                   const Update& update);

// Assigns the next value of every parameter with role kForward that `graph` uses, from the gradient of `loss`; each
// parameter's own L2 term is added to its gradient (after clipping). Adds the graph inputs "learning_rate" (float64 []
// or float32 [], as the parameters) and, for Adam, "step" (int32 [], counting from 1).
void append_updates(Value loss, Parameters& parameters, const Optimizer& optimizer);

// The parameters with role kForward that `graph` uses, in the order of their declaration.
std::vector<Parameter> trained_parameters(const Graph& graph, const Parameters& parameters);

// Whether the parameter of this name is the state of an optimizer.
bool is_optimizer_state(std::string_view parameter);

}  // namespace chiasm

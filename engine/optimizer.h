// SPDX-License-Identifier: Apache-2.0
// Optimizers append parameter updates to the graph, so that a training step is one program. Their state (velocities,
// moments) is declared as parameters "optimizer/<what>/<path>" and saved with the model.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
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

struct RmsProp {
  double smoothing = 0.99;
  double momentum = 0.0;
  double epsilon = 1e-8;
  bool epsilon_inside = false;  // TensorFlow's sqrt(v + epsilon) instead of sqrt(v) + epsilon
};

// Layer-wise adaptive rates (You et al. 2017) as SimCLR has them (spec/mouse_vision.md 5.7), with momentum m:
//   local = coefficient |p| / (|g| + l2 |p|), or 1 where |p| or |g| is zero, or without `layerwise`
//   b' = m b + local rate (g + l2 p),   p' = p - b'
// What tells it from Sgd without `layerwise` is that the velocity holds the learning rate. Its weight decay is L2.
struct Lars {
  double momentum = 0.9;
  double coefficient = 1e-3;
  bool layerwise = true;
};

// Gradients are limited before weight decay is added: kValue, element by element to [-limit, limit]; kNorm, each tensor
// to that Euclidean norm; kGlobalNorm, all that are limited together to that norm of them all. A norm n above the limit
// scales by limit / (n + 1e-6), as torch.nn.utils.clip_grad_norm_ does.
struct GradientLimit {
  enum class By : std::uint8_t { kValue, kNorm, kGlobalNorm };
  double limit = 1.0;
  By by = By::kValue;
  bool operator==(const GradientLimit&) const = default;
};

struct Optimizer {
  std::variant<Sgd, Adam, RmsProp, Lars> rule = Sgd{};
  std::optional<GradientLimit> clip = {};
  // Beside a parameter's own L2: weight_decay p is added to the gradient, or, decoupled, p is multiplied by
  // 1 - learning rate * weight_decay.
  double weight_decay = 0.0;
  bool decoupled = false;

  double l2() const { return decoupled ? 0.0 : weight_decay; }
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
  Optimizer optimizer = {};
  std::string learning_rate = "learning_rate";  // graph input, floating []
  std::string step = "step";                    // graph input, int32 [], counting from 1; of Adam
  UpdateNoise noise = {};
};

// Gradients as `clip` has them; those of one call are limited together. The values themselves without a limit.
std::vector<Value> limit_gradients(std::span<const Value> gradients, const std::optional<GradientLimit>& clip);

// Assigns the next value of `parameter` and of its optimizer state. `gradient` has been through limit_gradients. A null
// gradient is one of zero without weight decay of either kind: the optimizer coasts. Makes the inputs it needs, and
// "draw" (graph_inputs.h) for noise.
void append_update(Graph& graph, Parameters& parameters, const Parameter& parameter, Value gradient,
                   const Update& update);

// Assigns the next value of every parameter with role kForward that `graph` uses, from the gradient of `loss`; each
// parameter's own L2 term is added to its gradient (after limiting it). Adds the graph inputs "learning_rate" (float64
// [] or float32 [], as the parameters) and, for Adam, "step" (int32 [], counting from 1).
void append_updates(Value loss, Parameters& parameters, const Optimizer& optimizer);

// The parameters with role kForward that `graph` uses, in the order of their declaration.
std::vector<Parameter> trained_parameters(const Graph& graph, const Parameters& parameters);

// Whether the parameter of this name is the state of an optimizer.
bool is_optimizer_state(std::string_view parameter);

}  // namespace chiasm

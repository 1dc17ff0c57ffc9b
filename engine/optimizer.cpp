// SPDX-License-Identifier: Apache-2.0
#include "engine/optimizer.h"

#include <array>
#include <cmath>

#include "engine/graph_inputs.h"
#include "kernels/elementwise/fill.h"
#include "kernels/elementwise/map.h"
#include "kernels/optimizer/adam_step.h"
#include "kernels/optimizer/sgd_step.h"
#include "kernels/random/noise.h"

namespace chiasm {
namespace {

constexpr std::string_view kPrefix = "optimizer/";

// A state of the optimizer for one parameter, of its shape, starting at zero.
Value slot(Graph& graph, Parameters& parameters, const std::string& what, const Parameter& parameter) {
  const Parameter& kept = parameters.declare({.name = std::string(kPrefix) + what + "/" + parameter.name,
                                              .spec = parameter.spec,
                                              .role = ParameterRole::kStatistic});
  return graph.state(kept.name, kept.spec);
}

Value noisy(Value updated, Value rate, const Parameter& parameter, const UpdateNoise& noise) {
  if (noise.variance <= 0.0) return updated;
  Graph& graph = updated.graph();
  const Noise op{.shape = parameter.spec.shape,
                 .dtype = parameter.spec.dtype,
                 .distribution = noise.uniform ? Noise::Distribution::kUniform : Noise::Distribution::kNormal,
                 .deviation = std::sqrt(noise.variance),
                 .seed = noise.seed,
                 .op = graph.random_op("update " + parameter.name)};
  const Value random = graph.apply(op, {draw_input(graph)});
  return graph.apply(Map<Add>{}, {updated, graph.apply(Map<Multiply>{}, {random, rate})});
}

}  // namespace

bool is_optimizer_state(std::string_view parameter) { return parameter.starts_with(kPrefix); }

std::vector<Parameter> trained_parameters(const Graph& graph, const Parameters& parameters) {
  std::vector<Parameter> trained;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.role == ParameterRole::kForward && graph.states().contains(parameter.name)) {
      trained.push_back(parameter);
    }
  }
  return trained;
}

void append_update(Graph& graph, Parameters& parameters, const Parameter& parameter, Value g, const Update& update) {
  const LabelScope label(graph, "update " + parameter.name);
  const Optimizer& optimizer = update.optimizer;
  const Value weight = graph.state(parameter.name, parameter.spec);
  const Value rate = input_once(graph, update.learning_rate, Spec{parameter.spec.dtype, {}});
  const double l2 = g ? parameter.l2 : 0.0;
  if (!g) g = graph.apply(Fill{parameter.spec, 0.0}, {});
  if (optimizer.clip) g = graph.apply(Map<Clip>{{-*optimizer.clip, *optimizer.clip}}, {g});
  std::vector<Value> slots;
  std::vector<Value> next;
  if (const auto* sgd = std::get_if<Sgd>(&optimizer.rule)) {
    slots = {slot(graph, parameters, "velocity", parameter)};
    const SgdStep op{.momentum = sgd->momentum, .nesterov = sgd->nesterov, .l2 = l2};
    next = graph.apply_all(make_op(op), std::array{weight, g, slots[0], rate});
  } else {
    const Adam& rule = std::get<Adam>(optimizer.rule);
    const Value step = input_once(graph, update.step, Spec{DType::kInt32, {}});
    slots = {slot(graph, parameters, "first_moment", parameter), slot(graph, parameters, "second_moment", parameter)};
    const AdamStep op{.beta1 = rule.beta1,
                      .beta2 = rule.beta2,
                      .epsilon = rule.epsilon,
                      .epsilon_convention = rule.epsilon_inside ? AdamEpsilon::kInside : AdamEpsilon::kOutside,
                      .l2 = l2};
    next = graph.apply_all(make_op(op), std::array{weight, g, slots[0], slots[1], rate, step});
  }
  graph.assign(weight, noisy(next[0], rate, parameter, update.noise));
  for (std::size_t i = 0; i < slots.size(); ++i) graph.assign(slots[i], next[i + 1]);
}

void append_updates(Value loss, Parameters& parameters, const Optimizer& optimizer) {
  Graph& graph = loss.graph();
  const std::vector<Parameter> trained = trained_parameters(graph, parameters);
  std::vector<Value> weights;
  for (const Parameter& parameter : trained) weights.push_back(graph.state(parameter.name, parameter.spec));
  const std::vector<Value> dw = gradients(loss, weights);
  for (std::size_t i = 0; i < trained.size(); ++i) {
    append_update(graph, parameters, trained[i], dw[i], {.optimizer = optimizer});
  }
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/optimizer.h"

#include "kernels/elementwise/map.h"
#include "kernels/optimizer/adam_step.h"
#include "kernels/optimizer/sgd_step.h"

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

}  // namespace

bool is_optimizer_state(std::string_view parameter) { return parameter.starts_with(kPrefix); }

void append_updates(Value loss, Parameters& parameters, const Optimizer& optimizer) {
  Graph& graph = loss.graph();
  std::vector<Parameter> trained;
  std::vector<Value> weights;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.role != ParameterRole::kForward || !graph.states().contains(parameter.name)) continue;
    trained.push_back(parameter);
    weights.push_back(graph.state(parameter.name, parameter.spec));
  }
  const std::vector<Value> dw = gradients(loss, weights);
  const LabelScope label(graph, "update");
  const Value rate = graph.input("learning_rate", Spec{loss.dtype(), {}});
  const bool adam = std::holds_alternative<Adam>(optimizer.rule);
  const Value step = adam ? graph.input("step", Spec{DType::kInt32, {}}) : Value();
  for (std::size_t i = 0; i < trained.size(); ++i) {
    const Parameter& parameter = trained[i];
    graph.relabel("update " + parameter.name);
    Value g = dw[i];
    if (optimizer.clip) g = graph.apply(Map<Clip>{{-*optimizer.clip, *optimizer.clip}}, {g});
    if (const auto* sgd = std::get_if<Sgd>(&optimizer.rule)) {
      const Value v = slot(graph, parameters, "velocity", parameter);
      const SgdStep op{.momentum = sgd->momentum, .nesterov = sgd->nesterov, .l2 = parameter.l2};
      const auto next = graph.apply_all(make_op(op), std::vector<Value>{weights[i], g, v, rate});
      graph.assign(weights[i], next[0]);
      graph.assign(v, next[1]);
    } else {
      const Adam& rule = std::get<Adam>(optimizer.rule);
      const Value m = slot(graph, parameters, "first_moment", parameter);
      const Value v = slot(graph, parameters, "second_moment", parameter);
      const AdamStep op{.beta1 = rule.beta1,
                        .beta2 = rule.beta2,
                        .epsilon = rule.epsilon,
                        .epsilon_convention = rule.epsilon_inside ? AdamEpsilon::kInside : AdamEpsilon::kOutside,
                        .l2 = parameter.l2};
      const auto next = graph.apply_all(make_op(op), std::vector<Value>{weights[i], g, m, v, rate, step});
      graph.assign(weights[i], next[0]);
      graph.assign(m, next[1]);
      graph.assign(v, next[2]);
    }
  }
}

}  // namespace chiasm

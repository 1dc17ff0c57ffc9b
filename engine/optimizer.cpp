// SPDX-License-Identifier: Apache-2.0
#include "engine/optimizer.h"

#include <cmath>
#include <initializer_list>

#include "engine/graph_inputs.h"
#include "engine/ops.h"
#include "kernels/elementwise/map.h"
#include "kernels/optimizer/adam_step.h"
#include "kernels/optimizer/rms_prop_step.h"
#include "kernels/optimizer/sgd_step.h"
#include "kernels/random/noise.h"
#include "kernels/reduction/sum.h"

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

Value sum_of_squares(Value x) { return x.graph().apply(Sum{}, {x.graph().apply(Map<Square>{}, {x})}); }
Value norm(Value x) { return x.graph().apply(Map<Sqrt>{}, {sum_of_squares(x)}); }

// What brings a norm down to a limit: 1 where it is below.
Value scale_to(double limit, Value norm) {
  constexpr double kBesideNorm = 1e-6;
  const Value quotient = fill(norm.graph(), norm.spec(), limit) / affine(norm, 1.0, kBesideNorm);
  return norm.graph().apply(Map<Clip>{{0.0, 1.0}}, {quotient});
}

// Lars' local rate.
Value local_rate(const Lars& lars, Value weight, Value gradient, double l2) {
  Graph& graph = weight.graph();
  const Value of_weight = norm(weight), of_gradient = norm(gradient);
  const auto sign = [&](Value x) { return graph.apply(Map<Sign>{}, {x}); };
  const Value both = sign(of_weight) * sign(of_gradient);  // 1, or 0 where one of them is zero
  const Value neither = affine(both, -1.0, 1.0);
  const Value below = of_gradient + affine(of_weight, l2, 0.0) + neither;  // never zero
  return both * (affine(of_weight, lars.coefficient, 0.0) / below) + neither;
}

// What a rule makes of a parameter: the next weight and the next of each slot.
struct Stepped {
  std::vector<Value> slots;
  std::vector<Value> next;
};

// One parameter and all that a rule needs to take a step with it.
struct UpdateRule {
  Graph& graph;
  Parameters& parameters;
  const Parameter& parameter;
  Value weight, gradient;
  bool coasts;
  Value rate;
  const std::string& step;
  double l2, decay;

  Stepped apply(const Sgd& sgd) const {
    return run(SgdStep{.momentum = sgd.momentum, .nesterov = sgd.nesterov, .l2 = l2, .decay = decay}, {"velocity"},
               gradient, {rate});
  }
  Stepped apply(const Adam& adam) const {
    const AdamStep op{.beta1 = adam.beta1,
                      .beta2 = adam.beta2,
                      .epsilon = adam.epsilon,
                      .epsilon_convention = adam.epsilon_inside ? AdamEpsilon::kInside : AdamEpsilon::kOutside,
                      .l2 = l2,
                      .decay = decay};
    return run(op, {"first_moment", "second_moment"}, gradient,
               {rate, input_once(graph, step, Spec{DType::kInt32, {}})});
  }
  Stepped apply(const RmsProp& rms) const {
    const RmsPropStep op{.smoothing = rms.smoothing,
                         .momentum = rms.momentum,
                         .epsilon = rms.epsilon,
                         .epsilon_inside = rms.epsilon_inside,
                         .l2 = l2,
                         .decay = decay};
    return run(op, {"mean_square", "velocity"}, gradient, {rate});
  }
  Stepped apply(const Lars& lars) const {
    if (decay != 0.0) throw InputError("LARS has no decoupled weight decay");
    Value scaled = gradient;
    if (!coasts) {
      const Value local = lars.layerwise ? local_rate(lars, weight, gradient, l2) * rate : rate;
      const Value decayed = l2 == 0.0 ? gradient : gradient + affine(weight, l2, 0.0);
      scaled = decayed * local;
    }
    return run(SgdStep{.momentum = lars.momentum}, {"velocity"}, scaled, {fill(graph, rate.spec(), 1.0)});
  }

 private:
  template <class Op>
  Stepped run(const Op& op, std::initializer_list<const char*> slots, Value g, std::vector<Value> scalars) const {
    Stepped result;
    for (const char* what : slots) result.slots.push_back(slot(graph, parameters, what, parameter));
    std::vector<Value> inputs{weight, g};
    inputs.insert(inputs.end(), result.slots.begin(), result.slots.end());
    inputs.insert(inputs.end(), scalars.begin(), scalars.end());
    result.next = graph.apply_all(make_op(op), inputs);
    return result;
  }
};

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

std::vector<Value> limit_gradients(std::span<const Value> gradients, const std::optional<GradientLimit>& clip) {
  std::vector<Value> limited(gradients.begin(), gradients.end());
  if (!clip || limited.empty()) return limited;
  if (clip->by == GradientLimit::By::kGlobalNorm) {
    Graph& graph = limited[0].graph();
    const LabelScope label(graph, "limit gradients");
    Value squares;
    for (Value g : limited) squares = squares ? squares + sum_of_squares(g) : sum_of_squares(g);
    const Value scale = scale_to(clip->limit, graph.apply(Map<Sqrt>{}, {squares}));
    for (Value& g : limited) g = g * scale;
    return limited;
  }
  for (Value& g : limited) {
    const LabelScope label(g.graph(), "limit gradients");
    g = clip->by == GradientLimit::By::kNorm ? g * scale_to(clip->limit, norm(g))
                                             : g.graph().apply(Map<Clip>{{-clip->limit, clip->limit}}, {g});
  }
  return limited;
}

void append_update(Graph& graph, Parameters& parameters, const Parameter& parameter, Value g, const Update& update) {
  const LabelScope label(graph, "update " + parameter.name);
  const Value weight = graph.state(parameter.name, parameter.spec);
  const Value rate = input_once(graph, update.learning_rate, Spec{parameter.spec.dtype, {}});
  const UpdateRule rule{.graph = graph,
                        .parameters = parameters,
                        .parameter = parameter,
                        .weight = weight,
                        .gradient = g ? g : fill(graph, parameter.spec, 0.0),
                        .coasts = !g,
                        .rate = rate,
                        .step = update.step,
                        .l2 = g ? parameter.l2 + update.optimizer.l2() : 0.0,
                        .decay = g && update.optimizer.decoupled ? update.optimizer.weight_decay : 0.0};
  const Stepped stepped = std::visit([&](const auto& of) { return rule.apply(of); }, update.optimizer.rule);
  graph.assign(weight, noisy(stepped.next[0], rate, parameter, update.noise));
  for (std::size_t i = 0; i < stepped.slots.size(); ++i) graph.assign(stepped.slots[i], stepped.next[i + 1]);
}

void append_updates(Value loss, Parameters& parameters, const Optimizer& optimizer) {
  Graph& graph = loss.graph();
  const std::vector<Parameter> trained = trained_parameters(graph, parameters);
  std::vector<Value> weights;
  for (const Parameter& parameter : trained) weights.push_back(graph.state(parameter.name, parameter.spec));
  const std::vector<Value> dw = limit_gradients(gradients(loss, weights), optimizer.clip);
  for (std::size_t i = 0; i < trained.size(); ++i) {
    append_update(graph, parameters, trained[i], dw[i], {.optimizer = optimizer});
  }
}

}  // namespace chiasm

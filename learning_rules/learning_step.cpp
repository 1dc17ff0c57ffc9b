// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/learning_step.h"

#include <map>
#include <utility>

#include "engine/graph_inputs.h"
#include "engine/passes/pass.h"
#include "learning_rules/alignment.h"
#include "learning_rules/feedback.h"
#include "learning_rules/loss_graph.h"
#include "learning_rules/plastic_layers.h"

namespace chiasm {
namespace {

class Step {
 public:
  Step(Parameters& parameters, const Learning& learning, const LearningStepOptions& options)
      : parameters_(parameters),
        learning_(learning),
        options_(options),
        groups_(options.task_optimizer, options.groups) {
    groups_.check(parameters);
  }

  Graph build(const Graph& loss) {
    Graph graph = route_feedback(loss, parameters_, learning_, options_.seed);
    if (learning_.aligns()) {
      if (options_.phase == Phase::kAlignment) {
        LossGraph alone = loss_alone(graph);
        graph = std::move(alone.graph);
        align(Value(&graph, alone.loss));
      } else {
        align(Value(&graph, objective_of(graph)));
      }
    }
    graph = simplify_forward(std::move(graph), options_.passes);
    if (options_.phase != Phase::kAlignment) {
      train(graph);
      for (const MovingCopy& copy : options_.copies) append_moving_copies(graph, parameters_, copy);
    } else if (coasts()) {
      for (const Parameter& parameter : groups_.trained(graph, parameters_)) {
        append_update(graph, parameters_, parameter, Value(), task_update(parameter));
        const Parameter* backward = parameters_.find(backward_weight_name(parameter.name));
        if (backward != nullptr && learning_.rule_of(parameter.name).rides_on_task()) {
          append_update(graph, parameters_, Parameter(*backward), Value(), riding_update(parameter));
        }
      }
    }
    return graph;
  }

 private:
  bool coasts() const { return learning_.phases.off_phase == PhasePlan::OffPhase::kCoast; }

  Update task_update(const Parameter& parameter) const {
    const ParameterGroup& group = groups_.group_of(parameter.name);
    return {.optimizer = group.optimizer, .learning_rate = group.learning_rate, .noise = seeded(learning_.task_noise)};
  }
  // Of the backward weight whose gradient rides on that of `forward`: its noise is that of backward weights, and L2 is
  // part of its gradient.
  Update riding_update(const Parameter& forward) const {
    Update update = task_update(forward);
    if (!update.optimizer.decoupled) update.optimizer.weight_decay = 0.0;
    update.noise = seeded(learning_.alignment_noise);
    return update;
  }
  Update alignment_update() const {
    return {.optimizer = learning_.optimizer,
            .learning_rate = kAlignmentRate,
            .step = kAlignmentStep,
            .noise = seeded(learning_.alignment_noise)};
  }
  UpdateNoise seeded(UpdateNoise noise) const {
    noise.seed = options_.seed;
    return noise;
  }

  // A copy: updates declare the state of their optimizer, and parameters move in memory.
  Parameter backward_of(const PlasticLayer& layer) const {
    const Parameter* found = parameters_.find(backward_weight_name(layer.path));
    if (found == nullptr) throw InternalError("no backward weight of " + layer.path);
    return *found;
  }

  AlignmentContext context_of(const PlasticLayer& layer, const LearningRule& rule) const {
    Graph& graph = layer.forward.graph();
    return {.seed = options_.seed,
            .coefficient =
                [&graph, &rule, dtype = layer.forward.dtype()](const RuleTerm& term) {
                  return input_once(graph, coefficient_input(rule, *term.primitive), Spec{dtype, {}});
                },
            .layer_l2 = parameters_.find(layer.path)->l2 + groups_.group_of(layer.path).optimizer.l2()};
  }

  // Updates of the backward weights that have an optimizer of their own.
  void align(Value loss) {
    std::vector<Parameter> aligned;
    std::vector<Value> slopes;
    for (const PlasticLayer& layer : find_plastic_layers(loss)) {
      const LearningRule& rule = learning_.rule_of(layer.path);
      if (!rule.aligns()) continue;
      if (options_.phase != Phase::kTask) {
        aligned.push_back(backward_of(layer));
        slopes.push_back(alignment_gradient(layer, rule, context_of(layer, rule)));
      } else if (coasts()) {
        append_update(loss.graph(), parameters_, backward_of(layer), Value(), alignment_update());
      }
    }
    slopes = limit_gradients(slopes, learning_.optimizer.clip);
    for (std::size_t i = 0; i < aligned.size(); ++i) {
      append_update(loss.graph(), parameters_, aligned[i], slopes[i], alignment_update());
    }
  }

  // Updates of the forward weights, and of the backward weights that ride on them.
  void train(Graph& graph) {
    const Value loss(&graph, objective_of(graph));
    const std::vector<Parameter> trained = groups_.trained(graph, parameters_);
    std::vector<Value> weights;
    for (const Parameter& parameter : trained) weights.push_back(graph.state(parameter.name, parameter.spec));
    std::map<std::string, PlasticLayer> riders;
    for (PlasticLayer& layer : find_plastic_layers(loss)) {
      if (learning_.rule_of(layer.path).rides_on_task()) riders.emplace(layer.path, std::move(layer));
    }
    // An optimizer limits the gradient of the task before it adds the L2 term; in the gradient of a rider that term is
    // one of several.
    const std::vector<Value> dw = groups_.limit(trained, gradients(loss, weights));
    for (std::size_t i = 0; i < trained.size(); ++i) {
      append_update(graph, parameters_, trained[i], dw[i], task_update(trained[i]));
      const auto rider = riders.find(trained[i].name);
      if (rider == riders.end()) continue;
      const LearningRule& rule = learning_.rule_of(rider->first);
      const Value gradient = riding_gradient(rider->second, rule, context_of(rider->second, rule), dw[i]);
      append_update(graph, parameters_, backward_of(rider->second), gradient, riding_update(trained[i]));
    }
  }

  Parameters& parameters_;
  const Learning& learning_;
  const LearningStepOptions& options_;
  const ParameterGroups groups_;
};

}  // namespace

std::string coefficient_input(const LearningRule& rule, const Primitive& primitive) {
  return "coefficient/" + rule.name + "/" + std::string(primitive.name);
}

Graph build_learning_step(const Graph& loss, Parameters& parameters, const Learning& learning,
                          const LearningStepOptions& options) {
  return Step(parameters, learning, options).build(loss);
}

}  // namespace chiasm

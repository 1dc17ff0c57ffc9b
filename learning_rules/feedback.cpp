// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/feedback.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/graph_inputs.h"
#include "engine/ops.h"
#include "engine/passes/rewriter.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/elementwise/map.h"
#include "kernels/indexing/stop_gradient.h"
#include "kernels/linear/linear.h"
#include "kernels/random/noise.h"
#include "kernels/reduction/mean.h"
#include "kernels/reduction/sum.h"
#include "learning_rules/plastic_layers.h"

namespace chiasm {
namespace {

Value stop(Value x) { return x.graph().apply(StopGradient{}, {x}); }

class Router {
 public:
  Router(const Graph& source, Parameters& parameters, const Learning& learning, std::uint64_t seed)
      : source_(source),
        rewriter_(source),
        parameters_(parameters),
        learning_(learning),
        seed_(seed),
        trained_(source.value_count(), false) {
    for (const auto& [name, id] : source.states()) {
      weight_name_[id] = name;
      const Parameter* parameter = parameters.find(name);
      trained_[id] = parameter != nullptr && parameter->role == ParameterRole::kForward;
    }
  }

  Graph run() {
    for (const Node& node : source_.nodes()) {
      const bool any = std::ranges::any_of(node.inputs, [&](ValueId id) { return trained_[id]; });
      if (is_linear_operator(*node.op) && weight_name_.contains(node.inputs[1])) {
        route(node);
      } else {
        rewriter_.copy(node);
      }
      for (ValueId id : node.outputs) trained_[id] = any;
    }
    Graph graph = rewriter_.finish();
    if (!direct_.empty()) add_direct_feedback(graph);
    return graph;
  }

 private:
  struct Direct {
    std::string path;
    ValueId x;  // before the cut
    std::string label;
  };

  void route(const Node& node) {
    const std::string& path = weight_name_.at(node.inputs[1]);
    const LearningRule& rule = learning_.rule_of(path);
    if (rule.feedback == Feedback::kSign) {
      append(node, rewriter_.at(node.inputs[0]), signs(path, node));
    } else if (rule.feedback == Feedback::kDirect && trained_[node.inputs[0]]) {
      const Value x = rewriter_.at(node.inputs[0]);
      direct_.push_back({path, x.id(), node.label});
      const LabelScope label(rewriter_.graph(), node.label);
      append(node, stop(x), rewriter_.at(node.inputs[2]));
    } else {
      rewriter_.copy(node);
    }
  }

  void append(const Node& node, Value x, Value backward) {
    Graph& graph = rewriter_.graph();
    const LabelScope label(graph, node.label);
    rewriter_.replace(node.outputs[0], graph.apply(node.op, std::array{x, rewriter_.at(node.inputs[1]), backward}));
  }

  // The backward weight of a layer, made once.
  Value signs(const std::string& path, const Node& node) {
    Value& made = signs_[path];
    if (made) return made;
    Graph& graph = rewriter_.graph();
    const LabelScope label(graph, "feedback " + path);
    const Value w = rewriter_.at(node.inputs[1]);
    const Value sign = graph.apply(Map<Sign>{}, {w});
    const Value rms = graph.apply(Map<Sqrt>{}, {graph.apply(Mean{}, {graph.apply(Map<Square>{}, {w})})});
    switch (learning_.rule_of(path).magnitude) {
      case SignMagnitude::kUniform:
        made = sign * rms;
        break;
      case SignMagnitude::kFixedRandom:
        made = sign * graph.apply(Map<Abs>{}, {rewriter_.at(node.inputs[2])});
        break;
      case SignMagnitude::kBatchRandom: {
        const Noise noise{
            .shape = w.shape(), .dtype = w.dtype(), .seed = seed_, .op = graph.random_op("feedback " + path)};
        made = sign * rms * graph.apply(Map<Abs>{}, {graph.apply(noise, {draw_input(graph)})});
        break;
      }
    }
    return made;
  }

  void add_direct_feedback(Graph& graph) {
    const Value loss(&graph, graph.outputs().at("loss"));
    const std::vector<PlasticLayer> layers = find_plastic_layers(loss);
    std::vector<Value> said;
    for (const Application& application : layers.back().applications) said.push_back(application.z);
    Value error;
    for (Value e : gradients(loss, said)) error = error ? error + e : e;
    const LabelScope label(graph, "direct feedback");
    error = stop(error);
    Value objective = loss;
    for (const Direct& direct : direct_) {
      const Value x(&graph, direct.x);
      if (!needed(layers, direct)) continue;
      graph.relabel(direct.label);
      objective = objective + graph.apply(Sum{}, {x * stop(sent_to(graph, direct, x, error))});
    }
    graph.output(kObjective, objective);
  }

  // Whether the loss depends on that application.
  static bool needed(const std::vector<PlasticLayer>& layers, const Direct& direct) {
    const auto layer = std::ranges::find(layers, direct.path, &PlasticLayer::path);
    return layer != layers.end() &&
           std::ranges::any_of(layer->applications, [&](const Application& a) { return a.label == direct.label; });
  }

  Value sent_to(Graph& graph, const Direct& direct, Value x, Value error) {
    const std::int64_t batch = x.shape()[0];
    const std::int64_t from = error.shape().elements() / batch;
    const std::int64_t to = x.shape().elements() / batch;
    const Parameter& kept =
        parameters_.declare({.name = direct_feedback_name(direct.path),
                             .spec = Spec{x.dtype(), {from, to}},
                             .initialiser = Initialiser::normal(1.0 / std::sqrt(static_cast<double>(to))),
                             .role = ParameterRole::kBackward});
    const Value d = graph.state(kept.name, kept.spec);
    return reshape(linear(reshape(error, {batch, from}), {d, d}), x.shape());
  }

  const Graph& source_;
  Rewriter rewriter_;
  Parameters& parameters_;
  const Learning& learning_;
  std::uint64_t seed_;
  std::vector<bool> trained_;  // per value: depends on a trained parameter
  std::map<ValueId, std::string> weight_name_;
  std::map<std::string, Value> signs_;
  std::vector<Direct> direct_;
};

}  // namespace

std::string direct_feedback_name(const std::string& path) { return "optimizer/direct_feedback/" + path; }

Graph route_feedback(const Graph& graph, Parameters& parameters, const Learning& learning, std::uint64_t seed) {
  return Router(graph, parameters, learning, seed).run();
}

}  // namespace chiasm

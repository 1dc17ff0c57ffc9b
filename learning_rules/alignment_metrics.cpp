// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/alignment_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/graph_inputs.h"
#include "engine/ops.h"
#include "learning_rules/alignment.h"
#include "learning_rules/feedback.h"
#include "learning_rules/learning_step.h"
#include "learning_rules/loss_graph.h"
#include "learning_rules/plastic_layers.h"

namespace chiasm {
namespace {

constexpr double kSmallestSquare = 1e-12;

// The inner product of two vectors and their squared norms, summed over what they are made of.
struct Pair {
  Value product, a, b;

  void add(Value x, Value y) {
    const auto plus = [](Value sum, Value term) { return sum ? sum + term : term; };
    product = plus(product, inner_product(x, y));
    a = plus(a, squared_norm(x));
    b = plus(b, squared_norm(y));
  }
};

double angle(double product, double a, double b) {
  const double norms = std::sqrt(std::max(a, kSmallestSquare)) * std::sqrt(std::max(b, kSmallestSquare));
  return std::acos(std::clamp(product / norms, -1.0, 1.0)) * 180.0 / std::numbers::pi;
}

// A rule of one term with coefficient 1.
LearningRule only(const LearningRule& rule, const RuleTerm& term) {
  LearningRule one = rule;
  one.terms = {{term.primitive, {.value = 1.0}}};
  return one;
}

// What to change, by what drives the growth most.
std::string advice(const LayerAlignment& layer) {
  const auto strongest = std::ranges::max_element(
      layer.growth, {}, [](const std::pair<std::string, double>& term) { return term.second; });
  if (strongest == layer.growth.end() || strongest->first == "self") {
    return "the forward weight grows and the backward weight follows it; lower the learning rate of the task, or align "
           "first (\"delay_epochs\")";
  }
  if (layer.growth_rate() <= 0.0) {
    return "the flow itself shrinks it, so the steps are too long; lower the learning rate of backward weights";
  }
  return "lower \"" + strongest->first + "\" against the other primitives, or the learning rate of backward weights";
}

}  // namespace

double LayerAlignment::growth_rate() const {
  double sum = 0.0;
  for (const auto& [name, rate] : growth) sum += rate;
  return sum;
}

std::vector<std::pair<std::string, double>> alignment_numbers(const LayerAlignment& layer) {
  return {{"weight_angle", layer.weight_angle},         {"projection_angle", layer.projection_angle},
          {"gradient_angle", layer.gradient_angle},     {"norm_ratio", layer.norm_ratio},
          {"symmetric_energy", layer.symmetric_energy}, {"skew_energy", layer.skew_energy}};
}

AlignmentProbe::AlignmentProbe(const Graph& loss, Parameters& parameters, const Learning& learning,
                               std::uint64_t seed) {
  LossGraph alone = loss_alone(route_feedback(loss, parameters, learning, seed));
  graph_ = std::move(alone.graph);
  const Value objective(&graph_, alone.loss);
  std::vector<PlasticLayer> layers = find_plastic_layers(objective);
  std::erase_if(layers, [&](const PlasticLayer& layer) { return layer.tied(); });
  std::vector<Value> outputs;
  for (const PlasticLayer& layer : layers) {
    for (const Application& application : layer.applications) outputs.push_back(application.z);
  }
  const std::vector<Value> errors = gradients(objective, outputs);
  std::size_t next = 0;
  for (const PlasticLayer& layer : layers) {
    const LabelScope label(graph_, "alignment of " + layer.path);
    Pair weights, projections, feedback;
    weights.add(layer.forward, layer.backward);
    for (const Application& application : layer.applications) {
      projections.add(application.z, application.op.forward(application.x, layer.backward));
      const Value delta = errors[next++];
      feedback.add(application.op.transpose(delta, layer.backward), application.op.transpose(delta, layer.forward));
    }
    std::vector<Value> numbers;
    for (const Pair& pair : {weights, projections, feedback}) {
      for (Value v : {pair.product, pair.a, pair.b}) numbers.push_back(reshape(v, {1}));
    }
    const LearningRule& rule = learning.rule_of(layer.path);
    const double l2 = parameters.find(layer.path)->l2;
    std::vector<std::pair<std::string, double>> terms;
    for (const RuleTerm& term : rule.terms) {
      if (!rule.aligns()) break;
      const AlignmentContext context{.seed = seed, .coefficient = {}, .layer_l2 = l2};
      const Value slope = alignment_gradient(layer, only(rule, term), context);
      numbers.push_back(reshape(inner_product(layer.backward, slope), {1}));
      const Coefficient& c = term.coefficient;
      terms.emplace_back(std::string(term.primitive->name), -(c.layer_l2 ? l2 : c.value));
    }
    graph_.output("alignment/" + layer.path, concat(numbers, 0));
    paths_.push_back(layer.path);
    terms_.push_back(std::move(terms));
  }
}

std::vector<LayerAlignment> AlignmentProbe::read(const Program& program) const {
  std::vector<LayerAlignment> result;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const View view = program.output("alignment/" + paths_[i]);
    std::vector<double> v(static_cast<std::size_t>(view.elements()));
    visit_floating(view.dtype(), [&]<class T>() { std::copy_n(view.as<T>(), view.elements(), v.begin()); });
    LayerAlignment layer{.path = paths_[i],
                         .weight_angle = angle(v[0], v[1], v[2]),
                         .projection_angle = angle(v[3], v[4], v[5]),
                         .gradient_angle = angle(v[6], v[7], v[8]),
                         .norm_ratio = std::sqrt(std::max(v[2], kSmallestSquare) / std::max(v[1], kSmallestSquare)),
                         .symmetric_energy = (v[1] + v[2] + 2.0 * v[0]) / 4.0,
                         .skew_energy = (v[1] + v[2] - 2.0 * v[0]) / 4.0};
    for (std::size_t k = 0; k < terms_[i].size(); ++k) {
      const auto& [name, factor] = terms_[i][k];
      layer.growth.emplace_back(name, factor * v[9 + k] / std::max(v[2], kSmallestSquare));
    }
    result.push_back(std::move(layer));
  }
  return result;
}

std::string divergence(const std::vector<LayerAlignment>& first, const std::vector<LayerAlignment>& now, double factor,
                       double rate) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    const LayerAlignment& layer = now[i];
    const double before = std::max(first[i].symmetric_energy, kSmallestSquare);
    if (layer.symmetric_energy <= factor * before) continue;  // not so for NaN
    std::string terms;
    for (const auto& [name, growth] : layer.growth) {
      terms += fmt::format("{}{} {:+.3g}", terms.empty() ? "" : ", ", name, growth);
    }
    std::string why = fmt::format("the symmetric component of {} grew from {:.3g} to {:.3g} (|(W + B) / 2|^2)",
                                  layer.path, before, layer.symmetric_energy);
    why += terms.empty() ? "; nothing but the task moves it"
                         : fmt::format(
                               "; the alignment loss makes its backward weight grow at a rate of {:+.3g} ({}), at a "
                               "learning rate of {:.3g}",
                               layer.growth_rate(), terms, rate);
    why += ": " + advice(layer);
    return why;
  }
  return "";
}

}  // namespace chiasm

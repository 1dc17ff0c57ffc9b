// SPDX-License-Identifier: Apache-2.0
#include "tests/support/aligned_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops.h"
#include "kernels/linear/linear.h"
#include "kernels/reduction/sum.h"
#include "learning_rules/alignment.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

std::string input_name(int application) { return application == 0 ? "x" : "x" + std::to_string(application); }

// The loss of the layer, whose value does not matter: it makes the graph one that a rule can be put on.
Value loss_of(Graph& graph, const LayerSetting& setting) {
  const OpPtr op = setting.op ? setting.op : make_op(Linear{});
  const Value w = graph.state("weight", Spec{setting.dtype, setting.weight});
  const Value b = graph.state("weight_backward", Spec{setting.dtype, setting.weight});
  Value loss;
  for (int i = 0; i < setting.applications; ++i) {
    const LabelScope label(graph, "application " + std::to_string(i));
    const Value x = graph.input(input_name(i), Spec{setting.dtype, setting.x});
    Value y = graph.apply(op, std::vector<Value>{x, w, b});
    if (i == 0) graph.output("z", y);
    if (setting.bias) y = y + graph.state("bias", Spec{setting.dtype, {y.shape().at(-1)}});
    if (setting.activation) y = graph.apply(setting.activation, std::vector<Value>{y});
    const Value sum = graph.apply(Sum{}, {y});
    loss = loss ? loss + sum : sum;
  }
  return loss;
}

Graph graph_of(const LayerSetting& setting, const LearningRule& rule, bool gradient) {
  Graph graph;
  const std::vector<PlasticLayer> layers = find_plastic_layers(loss_of(graph, setting));
  const PlasticLayer& layer = layers.at(0);
  const AlignmentContext context{.seed = 3, .coefficient = {}, .layer_l2 = 0.0};
  if (gradient) {
    graph.output("gradient", alignment_gradient(layer, rule, context));
  } else {
    graph.output("value", alignment_value(layer, rule, context));
  }
  return graph;
}

}  // namespace

std::vector<RuleTerm> terms_with(Coefficients coefficients) {
  std::vector<RuleTerm> terms;
  for (const auto& [primitive, value] : coefficients) terms.push_back({primitive, {.value = value}});
  return terms;
}

LearningRule rule_with(Coefficients coefficients, const std::vector<std::string>& operations) {
  LearningRule rule{.name = "test", .feedback = Feedback::kOwn};
  rule.terms = terms_with(coefficients);
  rule.operations = alignment_operations_of(operations);
  return rule;
}

AlignedLayer::AlignedLayer(const LayerSetting& setting, const LearningRule& rule) {
  value_.emplace(graph_of(setting, rule, false), ProgramOptions{.threads = 1});
  gradient_.emplace(graph_of(setting, rule, true), ProgramOptions{.threads = 1});
  unsigned seed = 1;
  for (const char* name : {"weight", "weight_backward"}) {
    tensors_[name] = random_tensor(setting.dtype, setting.weight, seed++);
  }
  for (int i = 0; i < setting.applications; ++i) {
    tensors_[input_name(i)] = random_tensor(setting.dtype, setting.x, seed++);
  }
  if (setting.bias) {
    tensors_["bias"] = random_tensor(setting.dtype, {value_->output("z").shape().at(-1)}, seed++);
  }
}

void AlignedLayer::set(const std::string& name, const std::vector<double>& values) {
  Tensor& tensor = tensors_.at(name);
  ASSERT_EQ(std::ssize(values), tensor.elements()) << name;
  visit_floating(tensor.dtype(), [&]<class T>() {
    std::transform(values.begin(), values.end(), tensor.values<T>().begin(), [](double v) { return T(v); });
  });
}

std::vector<double> AlignedLayer::get(const std::string& name) const { return values_of(tensors_.at(name).view()); }

void AlignedLayer::run(Program& program) {
  for (const auto& [name, tensor] : tensors_) {
    if (program.graph().inputs().contains(name)) {
      program.set_input(name, tensor.view());
    } else if (program.graph().states().contains(name)) {
      program.bind(name, tensor);
    }
  }
  program.run();
}

double AlignedLayer::value() {
  run(*value_);
  return value_at(value_->output("value"), 0);
}

std::vector<double> AlignedLayer::gradient() {
  run(*gradient_);
  return values_of(gradient_->output("gradient"));
}

std::vector<double> AlignedLayer::output(const std::string& name) {
  run(*value_);
  return values_of(value_->output(name));
}

std::vector<double> AlignedLayer::differences() {
  constexpr double kStep = 1e-5;
  run(*value_);
  std::span<double> b = tensors_.at("weight_backward").values<double>();
  std::vector<double> result;
  const auto at = [&](double& weight, double value) {
    weight = value;
    value_->run();  // what the backward weight is bound to is read in place
    return value_at(value_->output("value"), 0);
  };
  for (double& weight : b) {
    const double kept = weight;
    result.push_back((at(weight, kept + kStep) - at(weight, kept - kStep)) / (2.0 * kStep));
    weight = kept;
  }
  return result;
}

std::vector<double> values_of(const View& view) {
  std::vector<double> values(static_cast<std::size_t>(view.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = value_at(view, static_cast<std::int64_t>(i));
  return values;
}

double largest(const std::vector<double>& a) { return largest_difference(a, std::vector<double>(a.size(), 0.0)); }

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double result = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::fabs(a[i] - b[i]);
    if (!(difference <= result))
      result = std::isfinite(difference) ? difference : std::numeric_limits<double>::infinity();
  }
  return result;
}

}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "engine/scope.h"

#include "engine/graph_inputs.h"

namespace chiasm {

Scope::Scope(Graph& graph, Parameters& parameters, BuildOptions options)
    : graph_(&graph), parameters_(&parameters), shared_(std::make_shared<Shared>()) {
  shared_->options = std::move(options);
}

std::string Scope::full(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "/" + std::string(name);
}

Scope Scope::child(std::string_view name) const {
  Scope scope = *this;
  scope.path_ = full(name);
  return scope;
}

Scope Scope::at_step(int step) const {
  Scope scope = *this;
  scope.step_ = step;
  return scope;
}

Scope Scope::branch(std::string_view name) const {
  Scope scope = *this;
  scope.branch_ = "/(" + std::string(name) + ")";
  return scope;
}

std::string Scope::label() const { return path_ + branch_ + (step_ < 0 ? "" : " @t" + std::to_string(step_)); }

Value Scope::parameter(std::string_view name, const Shape& shape, const Initialiser& initialiser, double l2) const {
  const Parameter& parameter =
      parameters_->declare({.name = full(name), .spec = Spec{dtype(), shape}, .initialiser = initialiser, .l2 = l2});
  return graph_->state(parameter.name, parameter.spec);
}

Weight Scope::weight(std::string_view name, const Shape& shape, const Initialiser& initialiser, double l2) const {
  return weight(name, shape, initialiser, initialiser, l2);
}

Weight Scope::weight(std::string_view name, const Shape& shape, const Initialiser& initialiser,
                     const Initialiser& backward_initialiser, double l2) const {
  const Value forward = parameter(name, shape, initialiser, l2);
  if (!options().untied || !options().untied(full(name))) return {forward, forward};
  const Parameter& backward = parameters_->declare({.name = backward_weight_name(full(name)),
                                                    .spec = Spec{dtype(), shape},
                                                    .initialiser = backward_initialiser,
                                                    .role = ParameterRole::kBackward});
  return {forward, graph_->state(backward.name, backward.spec)};
}

Value Scope::statistic(std::string_view name, const Shape& shape, double initial) const {
  const auto latest = shared_->statistics.find(full(name));
  if (latest != shared_->statistics.end()) return latest->second;
  const Parameter& parameter = parameters_->declare({.name = full(name),
                                                     .spec = Spec{dtype(), shape},
                                                     .initialiser = Initialiser::constant(initial),
                                                     .role = ParameterRole::kStatistic});
  return graph_->state(parameter.name, parameter.spec);
}

void Scope::update_statistic(std::string_view name, Value value) const { shared_->statistics[full(name)] = value; }

void Scope::commit_statistics() const {
  for (const auto& [name, value] : shared_->statistics) graph_->assign(graph_->state(name, value.spec()), value);
  shared_->statistics.clear();
}

Value Scope::epoch_input() const { return input_once(*graph_, "epoch", Spec{DType::kInt32, {1}}); }

Value Scope::sample_input(std::int64_t batch) const {
  return input_once(*graph_, "sample", Spec{DType::kInt32, {batch}});
}

std::uint32_t Scope::random_op() const { return graph_->random_op(label()); }

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "models/tasks/task.h"

#include <algorithm>

#include "engine/batch_shape.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

std::vector<double> as_doubles(const View& view, std::int64_t count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  visit_any(view.dtype(), [&]<class T>() { std::copy_n(view.as<T>(), count, values.begin()); });
  return values;
}

template <class Build>
Graph build(const Task& task, const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options,
            Build&& body) {
  options.untied = network.untied;
  Graph graph;
  const Scope scope(graph, parameters, options);
  TaskInputs in(scope, task.fields(network), batch);
  body(scope, in);
  return graph;
}

}  // namespace

TaskInputs::TaskInputs(const Scope& scope, Fields fields, std::int64_t batch)
    : scope_(scope), fields_(std::move(fields)), batch_(batch) {}

Value TaskInputs::operator[](std::string_view field) {
  Graph& graph = scope_.graph();
  const auto made = graph.inputs().find(std::string(field));
  if (made != graph.inputs().end()) return {&graph, made->second};
  const auto known = fields_.find(field);
  if (known == fields_.end()) throw InternalError("the task did not ask for the field " + std::string(field));
  const Spec& spec = known->second.spec;
  return graph.input(std::string(field),
                     {is_floating(spec.dtype) ? scope_.dtype() : spec.dtype, with_batch(batch_, spec.shape)});
}

Graph task_loss(const Task& task, const Network& network, Parameters& parameters, std::int64_t batch,
                BuildOptions options) {
  options.training = true;
  return build(task, network, parameters, batch, options, [&](const Scope& scope, TaskInputs& in) {
    task.build_loss(network, scope, in);
    scope.commit_statistics();
  });
}

Graph task_evaluation(const Task& task, const Network& network, Parameters& parameters, std::int64_t batch,
                      BuildOptions options) {
  options.training = false;
  return build(task, network, parameters, batch, options,
               [&](const Scope& scope, TaskInputs& in) { task.build_evaluation(network, scope, in); });
}

void declare_parameters(const Task& task, const Network& network, Parameters& parameters, BuildOptions options) {
  declare_parameters(network, parameters, options);
  if (task.has_parameters()) task_loss(task, network, parameters, 1, options);
}

double scalar_output(const Program& program, std::string_view name) { return as_doubles(program.output(name), 1)[0]; }

std::vector<double> output_rows(const Program& program, std::string_view name, std::int64_t rows) {
  const View output = program.output(name);
  return as_doubles(output, rows * (output.elements() / output.shape()[0]));
}

std::vector<double> field_values(const Batch& batch, std::string_view field) {
  const Tensor& values = batch.at(field);
  return as_doubles(values.view(), values.elements());
}

}  // namespace chiasm

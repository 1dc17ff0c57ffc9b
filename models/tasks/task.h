// SPDX-License-Identifier: Apache-2.0
// Task: what a network is trained on: which fields of the data it needs, how the network and these fields become a
// loss, what is measured. Sessions, learning rules, devices, snapshots and reports work on any task without knowing
// which it is. A new task is a folder of its own and one line in tasks.cpp (README.md shows one).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/batch.h"
#include "engine/program.h"
#include "engine/scope.h"
#include "models/network.h"
#include "models/tasks/metric.h"

namespace chiasm {

class ConfigNode;

// The fields of a batch in a graph: inputs of their names, made when they are asked for.
class TaskInputs {
 public:
  TaskInputs(const Scope& scope, Fields fields, std::int64_t batch);
  // [N, ...]; floating fields have the element type of the graph. Throws InternalError for a field that the task did
  // not ask for.
  Value operator[](std::string_view field);
  std::int64_t batch() const { return batch_; }

 private:
  const Scope& scope_;
  Fields fields_;
  std::int64_t batch_;
};

// Adds up what an evaluation measures, batch by batch.
class Scorer {
 public:
  virtual ~Scorer() = default;
  // The first `batch.size()` rows of what `program` put out belong to the samples of `batch`.
  virtual void add(const Program& program, const Batch& batch) = 0;
  // In the order in which people read them; the loss is called "loss".
  virtual std::vector<Score> scores() const = 0;
};

class Task {
 public:
  virtual ~Task() = default;

  virtual std::string_view kind() const = 0;  // as recipes write it
  virtual std::string_view samples() const { return "images"; }

  // What a batch must have, of each sample.
  virtual Fields fields(const Network& network) const = 0;
  // Whether evaluation shows images as training does, changed by chance (by the same numbers each time).
  virtual bool evaluates_augmented() const { return false; }
  // Whether the task brings parameters of its own beside the network's.
  virtual bool has_parameters() const { return false; }
  // Throws InputError when the network does not fit the task.
  virtual void check(const Network&) const {}
  // Throws InputError when the data has something that the network cannot answer. `origin` names the recipe.
  virtual void check_data(const Network&, const Source&, const std::string& /*origin*/) const {}

  // Training: the output "loss" [], and whatever batch_scores reads. What lives from step to step is a state of the
  // graph (Scope::statistic), and copies of parameters that follow them are moving copies of the recipe.
  virtual void build_loss(const Network& network, const Scope& scope, TaskInputs& in) const = 0;
  // The outputs that the scorer reads.
  virtual void build_evaluation(const Network& network, const Scope& scope, TaskInputs& in) const = 0;

  // Of a training step, beside "loss".
  virtual std::vector<Score> batch_scores(const Program&, const Batch&) const { return {}; }
  virtual std::unique_ptr<Scorer> scorer(const Network& network) const = 0;
};

// The graph of a task's loss, and that of its evaluation.
Graph task_loss(const Task& task, const Network& network, Parameters& parameters, std::int64_t batch,
                BuildOptions options);
Graph task_evaluation(const Task& task, const Network& network, Parameters& parameters, std::int64_t batch,
                      BuildOptions options);
// Declares every parameter and statistic of the network and the task, without what training adds.
void declare_parameters(const Task& task, const Network& network, Parameters& parameters, BuildOptions options);

// Reads a "task" object by its "kind". Throws FileError naming the field.
std::shared_ptr<const Task> read_task(const ConfigNode& task);
std::vector<std::string> task_kinds();
// Of a recipe without one.
std::shared_ptr<const Task> classification();

// --- for implementations ---

// The first value of an output, as a double.
double scalar_output(const Program& program, std::string_view name);
// The first `rows` rows of an output [N, ...], as doubles.
std::vector<double> output_rows(const Program& program, std::string_view name, std::int64_t rows);
// A field of a batch as doubles.
std::vector<double> field_values(const Batch& batch, std::string_view field);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Scope: where in a model a graph is being built. It names parameters by path and labels nodes; a layer builds itself
// in the scope it is given. Building the same layer again in the same scope (the next timestep) uses the same
// parameters.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/graph.h"
#include "engine/parameters.h"

namespace chiasm {

// The weight of a linear operator: what the forward pass multiplies by, and what carries errors back. Tied weights are
// the same value twice.
struct Weight {
  Value forward;
  Value backward;
};

struct BuildOptions {
  DType dtype = DType::kFloat32;
  bool training = false;  // dropout draws, batch normalisation uses and records the statistics of the batch
  std::uint64_t seed = 0;
  std::string passes = "all";  // those that belong before gradients (passes/pass.h) run while a training step is built
  // Whether the weight at this path has a backward weight of its own. Null: none has.
  std::function<bool(std::string_view path)> untied = {};
};

class Scope {
 public:
  // The graph and the parameters must outlive the scope and its children.
  Scope(Graph& graph, Parameters& parameters, BuildOptions options = {});

  Scope child(std::string_view name) const;
  // The same place at another timestep: parameters are shared, labels and random draws differ.
  Scope at_step(int step) const;
  // The same place once more in the same graph, for another input: parameters are shared, labels and random draws
  // differ.
  Scope branch(std::string_view name) const;

  Value parameter(std::string_view name, const Shape& shape, const Initialiser& initialiser, double l2 = 0.0) const;
  // A weight and, where options say so, a backward weight (backward_weight_name) with its own random draw, from the
  // same initialiser or from one for its own fans (those of a matrix are the forward ones swapped).
  Weight weight(std::string_view name, const Shape& shape, const Initialiser& initialiser, double l2 = 0.0) const;
  Weight weight(std::string_view name, const Shape& shape, const Initialiser& initialiser,
                const Initialiser& backward_initialiser, double l2) const;
  // A statistic and what it becomes at the end of a run. A later update in the same graph starts from the earlier one.
  Value statistic(std::string_view name, const Shape& shape, double initial) const;
  void update_statistic(std::string_view name, Value value) const;
  // Assigns the last update of every statistic. Call once, when the graph is complete.
  void commit_statistics() const;

  // Inputs that address random draws, made on first use: "epoch" int32 [1] and "sample" int32 [batch].
  Value epoch_input() const;
  Value sample_input(std::int64_t batch) const;
  // Distinguishes this place and timestep among random draws.
  std::uint32_t random_op() const;

  Graph& graph() const { return *graph_; }
  Parameters& parameters() const { return *parameters_; }
  const BuildOptions& options() const { return shared_->options; }
  DType dtype() const { return shared_->options.dtype; }
  bool training() const { return shared_->options.training; }
  const std::string& path() const { return path_; }
  // "conv4/cell @t3", for node labels.
  std::string label() const;

 private:
  struct Shared {
    BuildOptions options;
    std::map<std::string, Value> statistics;  // latest value by path
  };
  std::string full(std::string_view name) const;

  Graph* graph_;
  Parameters* parameters_;
  std::shared_ptr<Shared> shared_;
  std::string path_;
  int step_ = -1;
  std::string branch_;
};

}  // namespace chiasm

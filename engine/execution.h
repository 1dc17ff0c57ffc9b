// SPDX-License-Identifier: Apache-2.0
// Execution: a planned graph on a device. A Program finds values by name and checks them; an execution knows where they
// lie and makes the nodes run. Everything the caller sees is in host memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/compile.h"
#include "engine/planned_graph.h"
#include "engine/tensor.h"

namespace chiasm {

class Execution {
 public:
  virtual ~Execution() = default;

  const PlannedGraph& planned() const { return planned_; }

  // Written by the caller, read by the next compute().
  virtual MutableView input(ValueId id) = 0;
  // Starts to move what input() holds to the device, where that takes time; compute() does it otherwise. What was
  // written is used by the next compute(), and input() may be written again for the one after.
  virtual void stage_inputs() {}
  // Whether inputs may be written between compute() and commit().
  virtual bool stages_inputs() const { return false; }
  // Of the last compute().
  virtual View output(ValueId id) = 0;
  // The caller checked the spec.
  virtual void bind(ValueId state, const Tensor& tensor) = 0;

  virtual void compute() = 0;
  virtual void commit() = 0;
  virtual bool updates_are_finite() = 0;
  virtual void compute_stepwise() = 0;
  // Seconds by op name, the longest first.
  virtual std::vector<std::pair<std::string, double>> profile() = 0;
  virtual std::int64_t measure_touched_bytes() = 0;

 protected:
  explicit Execution(CompiledGraph compiled) : planned_(std::move(compiled)) {}

  PlannedGraph planned_;
};

// Compiles `graph` for the device of `options` and prepares it there. Throws InputError when there is no such device.
std::unique_ptr<Execution> make_execution(const Graph& graph, const ProgramOptions& options);
std::unique_ptr<Execution> make_cpu_execution(const Graph& graph, const ProgramOptions& options);
std::unique_ptr<Execution> make_cuda_execution(const Graph& graph, const ProgramOptions& options);

// "label: op" of a step, for messages.
std::string name_of(const PlannedGraph& planned, const PlannedStep& step);
// By op name, the longest first.
std::vector<std::pair<std::string, double>> sorted_profile(const std::vector<std::pair<std::string, double>>& steps);
// One past the last of `bytes` that is not `untouched`.
std::int64_t touched_bytes(std::span<const std::byte> bytes, std::byte untouched);

}  // namespace chiasm

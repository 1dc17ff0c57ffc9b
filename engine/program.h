// SPDX-License-Identifier: Apache-2.0
// Program: a graph that is planned for a device and can be run there again and again. It owns the arena; parameters and
// other states stay in tensors that the caller binds by name. Inputs and outputs are seen in host memory, wherever the
// program runs. One program is used by one thread at a time (on the CPU its kernels use the stream's threads).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/compile.h"
#include "engine/tensor.h"

namespace chiasm {

class Execution;

class Program {
 public:
  // Throws InputError when the device of `options` is not there.
  explicit Program(const Graph& graph, const ProgramOptions& options = {});
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  // Memory of an input, to be asked for and filled before each run. Throws InputError when there is no such input.
  MutableView input(std::string_view name);
  // Copies a tensor into an input. Throws ShapeError when its spec is another.
  void set_input(std::string_view name, const View& value);
  // Starts to move inputs to a device, beside a run that is still going on there; run() does it otherwise. After this
  // the inputs belong to the next run, and run_stepwise() repeats the last one.
  void stage_inputs();
  // Whether inputs of the next run may be written between run_compute() and run_commit(): on a device, not on the CPU.
  bool stages_inputs() const;
  // The value of an output in the last run. Valid until the next run or bind(). Throws InputError when there is no such
  // output.
  View output(std::string_view name) const;
  // The tensor that holds a state. It is read and written in place by run(), so that what was looked at before
  // (values(), view()) has to be asked for again afterwards. Throws ShapeError when its spec is another.
  void bind(std::string_view name, const Tensor& tensor);
  // Binds every state of the graph that `tensors` holds by name.
  void bind_all(const std::map<std::string, Tensor>& tensors);

  // Computes everything, then writes new values of states. Throws InputError when a state is not bound, or when one
  // that is written shares its tensor with another.
  void run();
  // The two halves of run(). Between them no state has changed yet, so a step whose loss is not finite can be dropped.
  void run_compute();
  void run_commit();
  // After run_compute(): whether everything that run_commit() will read from the arena, such as gradients, is finite.
  bool updates_are_finite() const;
  // run_compute(), node by node, checking that every floating input, state and result is finite. Throws NumericalError
  // naming the first that is not: for a node, its op and its label. Without the pass fuse_pointwise that is one
  // function.
  void run_stepwise();

  // run_compute() with the time of each node, in seconds, by op name; the longest first.
  std::vector<std::pair<std::string, double>> profile_compute();

  const Graph& graph() const;  // after passes
  const MemoryPlan& plan() const;
  std::int64_t arena_bytes() const { return plan().arena_bytes; }
  // How much of the arena was ever written, counted from its start, with inputs of zeros. For tests: it touches every
  // page.
  std::int64_t measure_touched_bytes();

 private:
  void require_separate_states();

  std::unique_ptr<Execution> execution_;
  std::map<ValueId, const Storage*> bound_;  // by state
  bool states_are_separate_ = true;          // of those
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/program.h"

#include <algorithm>
#include <cstring>

#include "engine/execution.h"

namespace chiasm {
namespace {

template <class Map>
ValueId find(const Map& names, std::string_view name, const char* kind) {
  const auto found = names.find(std::string(name));
  if (found != names.end()) return found->second;
  std::string known;
  for (const auto& [other, id] : names) known += (known.empty() ? "" : ", ") + other;
  throw InputError("the program has no " + std::string(kind) + " \"" + std::string(name) + "\"; it has: " + known);
}

}  // namespace

Program::Program(const Graph& graph, const ProgramOptions& options) : execution_(make_execution(graph, options)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

const Graph& Program::graph() const { return execution_->planned().graph; }
const MemoryPlan& Program::plan() const { return execution_->planned().plan; }

MutableView Program::input(std::string_view name) { return execution_->input(find(graph().inputs(), name, "input")); }

void Program::set_input(std::string_view name, const View& value) {
  const MutableView target = input(name);
  if (!(target.spec() == value.spec()) || !value.dense()) {
    throw ShapeError("input \"" + std::string(name) + "\" is a dense " + to_string(target.spec()) + ", found " +
                     to_string(value.spec()));
  }
  std::memcpy(target.data(), value.data(), static_cast<std::size_t>(value.spec().bytes()));
}

void Program::stage_inputs() { execution_->stage_inputs(); }
bool Program::stages_inputs() const { return execution_->stages_inputs(); }

View Program::output(std::string_view name) const {
  return execution_->output(find(graph().outputs(), name, "output"));
}

void Program::bind(std::string_view name, const Tensor& tensor) {
  const ValueId id = find(graph().states(), name, "state");
  if (!(graph().spec(id) == tensor.spec())) {
    throw ShapeError("state \"" + std::string(name) + "\" is " + to_string(graph().spec(id)) + ", found a tensor " +
                     to_string(tensor.spec()));
  }
  bound_[id] = &tensor.storage();
  states_are_separate_ = false;
  execution_->bind(id, tensor);
}

void Program::bind_all(const std::map<std::string, Tensor>& tensors) {
  for (const auto& [name, id] : graph().states()) {
    const auto found = tensors.find(name);
    if (found != tensors.end()) bind(name, found->second);
  }
}

// Kernels and the memory plan take states for separate memory.
void Program::require_separate_states() {
  if (states_are_separate_) return;
  const auto name_of_state = [this](ValueId id) {
    const auto& states = graph().states();
    return std::find_if(states.begin(), states.end(), [id](const auto& state) { return state.second == id; })->first;
  };
  for (const Assignment& written : graph().assignments()) {
    const auto own = bound_.find(written.state);
    if (own == bound_.end()) continue;
    for (const auto& [other, storage] : bound_) {
      if (storage != own->second || other == written.state) continue;
      throw InputError("states \"" + name_of_state(written.state) + "\" and \"" + name_of_state(other) +
                       "\" cannot share a tensor: a run of the program writes the first");
    }
  }
  states_are_separate_ = true;
}

void Program::run() {
  run_compute();
  run_commit();
}

void Program::run_compute() {
  require_separate_states();
  execution_->compute();
}
void Program::run_commit() {
  require_separate_states();
  execution_->commit();
}
bool Program::updates_are_finite() const { return execution_->updates_are_finite(); }
void Program::run_stepwise() { execution_->compute_stepwise(); }
std::vector<std::pair<std::string, double>> Program::profile_compute() { return execution_->profile(); }
std::int64_t Program::measure_touched_bytes() { return execution_->measure_touched_bytes(); }

}  // namespace chiasm

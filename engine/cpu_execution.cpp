// SPDX-License-Identifier: Apache-2.0
// A planned graph on the CPU: nodes run one after the other on the caller's thread, their kernels on the stream's
// threads. The caller's views are the arena itself.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "engine/execution.h"
#include "engine/finite.h"

namespace chiasm {
namespace {

class CpuExecution final : public Execution {
 public:
  CpuExecution(CompiledGraph compiled, const CpuStream& stream)
      : Execution(std::move(compiled)),
        stream_(stream),
        arena_(Spec{DType::kUInt8, {planned_.plan.arena_bytes}}),
        states_(planned_.graph.value_count(), nullptr) {
    for (const Assignment& a : planned_.graph.assignments()) assigned_.insert(a.state);
  }

  MutableView input(ValueId id) override {
    const View view = view_of(id);
    return MutableView(const_cast<void*>(view.data()), view.spec());
  }
  View output(ValueId id) override { return view_of(id); }
  void bind(ValueId state, const Tensor& tensor) override {
    bound_[state] = tensor;
    locate(state, bound_[state]);
    made_ = {};
  }

  void compute() override {
    prepare();
    run_steps(0, made_.first_commit);
  }
  void commit() override;
  bool updates_are_finite() override {
    const std::vector<ValueId>& read = planned_.update_inputs();
    return std::all_of(read.begin(), read.end(), [&](ValueId id) { return all_finite(view_of(id)); });
  }
  void compute_stepwise() override;
  std::vector<std::pair<std::string, double>> profile() override;
  std::int64_t measure_touched_bytes() override;

 private:
  View view_of(ValueId id) { return planned_.view_of(id, arena_.bytes().data(), states_); }
  // Where a state lies, brought up to date: its tensor may have been changed on another device. One that is only read
  // stays valid there.
  void locate(ValueId state, Tensor& tensor) {
    const std::span<const std::byte> bytes =
        assigned_.contains(state) ? std::span<const std::byte>(tensor.bytes()) : std::as_const(tensor).bytes();
    states_[state] = const_cast<std::byte*>(bytes.data());
  }
  void prepare() {
    for (auto& [state, tensor] : bound_) locate(state, tensor);
    if (made_.steps.empty()) made_ = plan_steps(planned_, arena_.bytes().data(), states_);
  }
  void run_steps(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const PlannedStep& step = made_.steps[i];
      stream_.lend_workspace(step.workspace);
      step.op->run(stream_, step.call.in, step.call.out);
    }
  }

  CpuStream stream_;
  Tensor arena_;
  std::map<ValueId, Tensor> bound_;
  std::set<ValueId> assigned_;      // states that a run writes
  std::vector<std::byte*> states_;  // per value
  PlannedSteps made_;               // empty until prepared
};

void CpuExecution::commit() {
  prepare();
  run_steps(made_.first_commit, made_.steps.size());
  const auto staged = [&](const MemoryPlan::Copy& copy) {
    return copy.staging == MemoryPlan::kNone ? nullptr : arena_.bytes().data() + copy.staging;
  };
  for (const MemoryPlan::Copy& copy : planned_.plan.copies) {
    const View from = view_of(copy.value);
    if (staged(copy)) std::memcpy(staged(copy), from.data(), static_cast<std::size_t>(from.spec().bytes()));
  }
  for (const MemoryPlan::Copy& copy : planned_.plan.copies) {
    const View from = view_of(copy.value);
    std::memcpy(const_cast<void*>(view_of(copy.state).data()), staged(copy) ? staged(copy) : from.data(),
                static_cast<std::size_t>(from.spec().bytes()));
  }
}

void CpuExecution::compute_stepwise() {
  prepare();
  for (const auto& [name, id] : planned_.graph.inputs()) require_finite(view_of(id), "input \"" + name + "\"");
  for (const auto& [name, id] : planned_.graph.states()) require_finite(view_of(id), "state \"" + name + "\"");
  for (std::size_t i = 0; i < made_.first_commit; ++i) {
    run_steps(i, i + 1);
    const PlannedStep& step = made_.steps[i];
    for (const MutableView& out : step.call.out) require_finite(out, name_of(planned_, step));
  }
}

std::vector<std::pair<std::string, double>> CpuExecution::profile() {
  prepare();
  std::vector<std::pair<std::string, double>> seconds;
  for (std::size_t i = 0; i < made_.first_commit; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    run_steps(i, i + 1);
    seconds.emplace_back(made_.steps[i].op->name(),
                         std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return sorted_profile(seconds);
}

std::int64_t CpuExecution::measure_touched_bytes() {
  constexpr std::byte kUntouched{0xdb};
  const std::span<std::byte> bytes = arena_.bytes();
  std::fill(bytes.begin(), bytes.end(), kUntouched);
  // Inputs are written, and nodes may copy them.
  for (const auto& [name, id] : planned_.graph.inputs()) {
    std::memset(input(id).data(), 0, static_cast<std::size_t>(planned_.graph.spec(id).bytes()));
  }
  compute();
  return touched_bytes(bytes, kUntouched);
}

}  // namespace

std::unique_ptr<Execution> make_cpu_execution(const Graph& graph, const ProgramOptions& options) {
  const CpuStream stream(options.threads, options.deterministic);
  return std::make_unique<CpuExecution>(compile(graph, options, stream), stream);
}

}  // namespace chiasm

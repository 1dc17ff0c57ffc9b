// SPDX-License-Identifier: Apache-2.0
// A planned graph on a CUDA device.
//
// The arena and the inputs' staging areas are device memory; the caller fills inputs in pinned host memory and reads
// outputs from it. stage_inputs() copies inputs on a stream of its own to a staging area, beside a computation that is
// still running; the computation starts by copying the staging area into the arena. The computing half of a run and the
// committing half are each captured as one CUDA graph in their second run and replayed from then on. The first run is
// not captured, because libraries make handles and plans when they are first called.
//
// Nodes that do not touch each other's memory run beside each other on several streams (branches.h).
#include <chrono>
#include <map>
#include <optional>

#include "engine/branches.h"
#include "engine/execution.h"
#include "engine/finite.h"
#include "kernels/cuda/capture.h"
#include "kernels/cuda/finite.h"
#include "kernels/cuda/memory.h"

namespace chiasm {
namespace {

// Outputs up to this size are fetched with every run: what a training step prints is then there without asking.
constexpr std::int64_t kFetchedAlways = 64 * 1024;

// Steps that are enqueued together: one node, or several calls of one op.
struct Launch {
  std::vector<PlannedStep> steps;
  std::vector<OpCall> calls;  // of the steps, where there are several
  ScheduledStep schedule;

  const AnyOp& op() const { return *steps[0].op; }
};

MemoryRange range_of(const void* data, std::int64_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  return {begin, begin + static_cast<std::uintptr_t>(bytes)};
}

void add_access(StepAccess& access, const OpCall& call) {
  for (const View& view : call.in) access.reads.push_back(range_of(view.data(), view.spec().bytes()));
  for (const MutableView& view : call.out) access.writes.push_back(range_of(view.data(), view.spec().bytes()));
}

bool overlap(const StepAccess& a, const StepAccess& b) {
  const auto touch = [](const std::vector<MemoryRange>& x, const std::vector<MemoryRange>& y) {
    for (const MemoryRange& p : x) {
      for (const MemoryRange& q : y) {
        if (p.begin < q.end && q.begin < p.end) return true;
      }
    }
    return false;
  };
  return touch(a.writes, b.writes) || touch(a.writes, b.reads) || touch(a.reads, b.writes);
}

// Host memory of a value, where the caller sees it.
struct HostCopy {
  PinnedMemory memory;
  std::byte* staging = nullptr;  // inputs: where on the device it waits for the next run
  bool is_current = false;       // outputs: fetched since the last run
};

class CudaExecution final : public Execution {
 public:
  CudaExecution(CompiledGraph compiled, std::shared_ptr<CudaStream> stream, const ProgramOptions& options);
  ~CudaExecution() override;

  MutableView input(ValueId id) override;
  void stage_inputs() override;
  bool stages_inputs() const override { return true; }
  View output(ValueId id) override;
  void bind(ValueId state, const Tensor& tensor) override;
  void compute() override;
  void commit() override;
  bool updates_are_finite() override;
  void compute_stepwise() override;
  std::vector<std::pair<std::string, double>> profile() override;
  std::int64_t measure_touched_bytes() override;

 private:
  // One half of a run.
  struct Half {
    std::vector<Launch> launches;
    std::map<int, CudaEvent> awaited;  // by launch
    CapturedWork captured;
    int runs = 0;
  };

  View view_of(ValueId id) const { return planned_.view_of(id, arena_.data(), states_); }
  void prepare();
  Half make_half(std::span<const PlannedStep> steps);
  void enqueue(Half& half);
  void enqueue_launch(const Launch& launch, CudaStream& stream) const;
  void take_inputs();
  void enqueue_outputs();
  void enqueue_assignments();
  void note_computed();
  // Runs what `body` enqueues: directly the first time, captured the second, replayed from then on.
  template <class Body>
  void run(Half& half, const Body& body);
  void require_finite_on_host(const View& device, const std::string& where) const;

  ProgramOptions options_;
  std::shared_ptr<CudaStream> stream_;
  CudaStream copies_;                 // of inputs to their staging areas
  std::vector<CudaStream> branches_;  // beside stream_
  DeviceMemory arena_;
  DeviceMemory staging_;
  DeviceMemory nonfinite_;  // one int32
  PinnedMemory nonfinite_on_host_;
  std::map<ValueId, HostCopy> inputs_, outputs_;
  std::map<ValueId, Tensor> bound_;
  std::vector<std::byte*> states_;  // per value: on the device
  CudaEvent staged_, consumed_, fork_;
  std::vector<CudaEvent> joins_;
  bool is_prepared_ = false;
  bool has_computed_ = false;
  bool is_staged_ = false;
  Half compute_, commit_;
};

CudaExecution::CudaExecution(CompiledGraph compiled, std::shared_ptr<CudaStream> stream, const ProgramOptions& options)
    : Execution(std::move(compiled)),
      options_(options),
      stream_(std::move(stream)),
      copies_(stream_->branch()),
      arena_(*stream_, planned_.plan.arena_bytes),
      nonfinite_(*stream_, sizeof(std::int32_t)),
      nonfinite_on_host_(*stream_, sizeof(std::int32_t)),
      states_(planned_.graph.value_count(), nullptr),
      staged_(*stream_),
      consumed_(*stream_),
      fork_(*stream_) {
  for (int b = 1; b < options_.branches; ++b) {
    branches_.push_back(stream_->branch());
    joins_.emplace_back(*stream_);
  }
  const auto aligned = [](std::int64_t bytes) { return (bytes + 255) / 256 * 256; };
  std::int64_t staging = 0;
  for (const auto& [name, id] : planned_.graph.inputs()) staging += aligned(planned_.graph.spec(id).bytes());
  staging_ = DeviceMemory(*stream_, staging);
  std::int64_t at = 0;
  for (const auto& [name, id] : planned_.graph.inputs()) {
    const std::int64_t bytes = planned_.graph.spec(id).bytes();
    HostCopy& copy = inputs_[id];
    copy.memory = PinnedMemory(*stream_, bytes);
    std::fill_n(copy.memory.data(), bytes, std::byte{0});
    copy.staging = staging_.data() + at;
    at += aligned(bytes);
  }
  for (const auto& [name, id] : planned_.graph.outputs()) {
    outputs_[id].memory = PinnedMemory(*stream_, planned_.graph.spec(id).bytes());
  }
}

CudaExecution::~CudaExecution() {
  // Memory may not go while work uses it. An error of that work has no one left to be told to.
  try {
    copies_.synchronize();
    stream_->synchronize();
  } catch (const std::exception&) {
  }
}

MutableView CudaExecution::input(ValueId id) {
  // The copy of what was written before may still be on its way.
  copies_.synchronize();
  is_staged_ = false;
  return MutableView(inputs_.at(id).memory.data(), planned_.graph.spec(id));
}

void CudaExecution::stage_inputs() {
  consumed_.hold_back(copies_);  // the run before has taken its inputs
  for (const auto& [id, copy] : inputs_) {
    copy_to_device(copies_, copy.staging, copy.memory.data(), planned_.graph.spec(id).bytes());
  }
  staged_.record(copies_);
  is_staged_ = true;
}

View CudaExecution::output(ValueId id) {
  HostCopy& copy = outputs_.at(id);
  const Spec& spec = planned_.graph.spec(id);
  if (!copy.is_current && has_computed_) {
    if (spec.bytes() > kFetchedAlways) copy_to_host(*stream_, copy.memory.data(), view_of(id).data(), spec.bytes());
    stream_->synchronize();
    copy.is_current = true;
  }
  return View(copy.memory.data(), spec);
}

void CudaExecution::bind(ValueId state, const Tensor& tensor) {
  // The last run may still use the tensor that goes, and outputs are those of that run.
  for (const auto& [id, copy] : outputs_) output(id);
  stream_->synchronize();
  bound_[state] = tensor;
  is_prepared_ = false;
}

void CudaExecution::prepare() {
  stream_->make_current();
  bool moved = !is_prepared_;
  for (auto& [state, tensor] : bound_) {
    std::byte* const data = tensor.storage().on_device(stream_);
    moved = moved || data != states_[state];
    states_[state] = data;
  }
  if (!moved) return;
  stream_->synchronize();
  const PlannedSteps made = plan_steps(planned_, arena_.data(), states_);
  const std::span<const PlannedStep> steps = made.steps;
  compute_ = make_half(steps.first(made.first_commit));
  commit_ = make_half(steps.subspan(made.first_commit));
  is_prepared_ = true;
}

CudaExecution::Half CudaExecution::make_half(std::span<const PlannedStep> steps) {
  Half half;
  std::vector<StepAccess> accesses;
  for (const PlannedStep& step : steps) {
    StepAccess access;
    add_access(access, step.call);
    access.writes.push_back(range_of(step.workspace.data(), static_cast<std::int64_t>(step.workspace.size())));
    // Calls of one op that stand side by side and do not touch each other's memory become one launch.
    if (!half.launches.empty() && step.op->runs_many() && step.workspace.empty()) {
      Launch& last = half.launches.back();
      if (last.op().equals(*step.op) && !overlap(accesses.back(), access)) {
        last.steps.push_back(step);
        add_access(accesses.back(), step.call);
        continue;
      }
    }
    Launch launch;
    launch.steps.push_back(step);
    half.launches.push_back(std::move(launch));
    accesses.push_back(std::move(access));
  }
  for (Launch& launch : half.launches) {
    if (launch.steps.size() == 1) continue;
    for (const PlannedStep& step : launch.steps) launch.calls.push_back(step.call);
  }
  std::vector<ScheduledStep> schedule = schedule_branches(accesses, options_.branches);
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    if (schedule[i].awaited) half.awaited.emplace(static_cast<int>(i), CudaEvent(*stream_));
    half.launches[i].schedule = std::move(schedule[i]);
  }
  return half;
}

void CudaExecution::enqueue_launch(const Launch& launch, CudaStream& stream) const {
  const PlannedStep& first = launch.steps[0];
  stream.lend_workspace(first.workspace);
  if (launch.calls.empty()) {
    first.op->run(stream, first.call.in, first.call.out);
  } else {
    first.op->run_many(stream, launch.calls);
  }
}

void CudaExecution::enqueue(Half& half) {
  std::vector<bool> forked(branches_.size(), false);
  fork_.record(*stream_);
  for (std::size_t i = 0; i < half.launches.size(); ++i) {
    const Launch& launch = half.launches[i];
    const int b = launch.schedule.branch;
    CudaStream& stream = b == 0 ? *stream_ : branches_[static_cast<std::size_t>(b - 1)];
    if (b > 0 && !forked[static_cast<std::size_t>(b - 1)]) {
      fork_.hold_back(stream);
      forked[static_cast<std::size_t>(b - 1)] = true;
    }
    for (int before : launch.schedule.waits) half.awaited.at(before).hold_back(stream);
    enqueue_launch(launch, stream);
    if (launch.schedule.awaited) half.awaited.at(static_cast<int>(i)).record(stream);
  }
  for (std::size_t b = 0; b < branches_.size(); ++b) {
    if (!forked[b]) continue;
    joins_[b].record(branches_[b]);
    joins_[b].hold_back(*stream_);
  }
}

void CudaExecution::take_inputs() {
  if (!is_staged_) stage_inputs();
  is_staged_ = false;
  staged_.hold_back(*stream_);
  for (const auto& [id, copy] : inputs_) {
    const View view = view_of(id);
    copy_on_device(*stream_, const_cast<void*>(view.data()), copy.staging, view.spec().bytes());
  }
  // Not part of what is captured, so that the next inputs may be staged as soon as these were taken.
  consumed_.record(*stream_);
}

void CudaExecution::enqueue_outputs() {
  fill_on_device(*stream_, nonfinite_.data(), std::byte{0}, nonfinite_.bytes());
  std::vector<View> checked;
  for (ValueId id : planned_.update_inputs()) checked.push_back(view_of(id));
  flag_nonfinite(*stream_, checked, reinterpret_cast<std::int32_t*>(nonfinite_.data()));
  copy_to_host(*stream_, nonfinite_on_host_.data(), nonfinite_.data(), nonfinite_.bytes());
  for (auto& [id, copy] : outputs_) {
    const View view = view_of(id);
    if (view.spec().bytes() <= kFetchedAlways) {
      copy_to_host(*stream_, copy.memory.data(), view.data(), view.spec().bytes());
    }
  }
}

void CudaExecution::enqueue_assignments() {
  const auto staged = [&](const MemoryPlan::Copy& copy) {
    return copy.staging == MemoryPlan::kNone ? nullptr : arena_.data() + copy.staging;
  };
  for (const MemoryPlan::Copy& copy : planned_.plan.copies) {
    const View from = view_of(copy.value);
    if (staged(copy)) copy_on_device(*stream_, staged(copy), from.data(), from.spec().bytes());
  }
  for (const MemoryPlan::Copy& copy : planned_.plan.copies) {
    const View from = view_of(copy.value);
    copy_on_device(*stream_, const_cast<void*>(view_of(copy.state).data()), staged(copy) ? staged(copy) : from.data(),
                   from.spec().bytes());
  }
}

void CudaExecution::note_computed() {
  for (auto& [id, copy] : outputs_) copy.is_current = false;
  has_computed_ = true;
}

template <class Body>
void CudaExecution::run(Half& half, const Body& body) {
  if (half.runs++ == 0 || !options_.capture) {
    body();
    return;
  }
  if (!half.captured) half.captured = CapturedWork(*stream_, body);
  half.captured.replay(*stream_);
}

void CudaExecution::compute() {
  prepare();
  take_inputs();
  run(compute_, [&] {
    enqueue(compute_);
    enqueue_outputs();
  });
  note_computed();
}

void CudaExecution::commit() {
  prepare();
  run(commit_, [&] {
    enqueue(commit_);
    enqueue_assignments();
  });
  for (const Assignment& a : planned_.graph.assignments()) bound_.at(a.state).storage().written_on_device();
}

bool CudaExecution::updates_are_finite() {
  stream_->synchronize();
  return *reinterpret_cast<const std::int32_t*>(nonfinite_on_host_.data()) == 0;
}

void CudaExecution::require_finite_on_host(const View& device, const std::string& where) const {
  Tensor host(device.spec());
  copy_to_host(*stream_, host.bytes().data(), device.data(), device.spec().bytes());
  stream_->synchronize();
  require_finite(host.view(), where);
}

void CudaExecution::compute_stepwise() {
  prepare();
  // Inputs that are staged already are those of the next run: this one repeats the last.
  if (!is_staged_) take_inputs();
  for (const auto& [name, id] : planned_.graph.inputs()) require_finite_on_host(view_of(id), "input \"" + name + "\"");
  for (const auto& [name, id] : planned_.graph.states()) require_finite_on_host(view_of(id), "state \"" + name + "\"");
  for (const Launch& launch : compute_.launches) {
    enqueue_launch(launch, *stream_);
    for (const PlannedStep& step : launch.steps) {
      for (const MutableView& out : step.call.out) require_finite_on_host(out, name_of(planned_, step));
    }
  }
  enqueue_outputs();
  note_computed();
}

std::vector<std::pair<std::string, double>> CudaExecution::profile() {
  compute();  // inputs in place, libraries warm
  std::vector<std::pair<std::string, double>> seconds;
  stream_->synchronize();
  for (const Launch& launch : compute_.launches) {
    const auto begin = std::chrono::steady_clock::now();
    enqueue_launch(launch, *stream_);
    stream_->synchronize();
    seconds.emplace_back(launch.op().name(),
                         std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return sorted_profile(seconds);
}

std::int64_t CudaExecution::measure_touched_bytes() {
  constexpr std::byte kUntouched{0xdb};
  for (const auto& [id, copy] : inputs_) {
    std::fill_n(static_cast<std::byte*>(input(id).data()), copy.memory.bytes(), std::byte{0});
  }
  fill_on_device(*stream_, arena_.data(), kUntouched, arena_.bytes());
  compute();
  std::vector<std::byte> bytes(static_cast<std::size_t>(arena_.bytes()));
  copy_to_host(*stream_, bytes.data(), arena_.data(), arena_.bytes());
  stream_->synchronize();
  return touched_bytes(bytes, kUntouched);
}

}  // namespace

std::unique_ptr<Execution> make_cuda_execution(const Graph& graph, const ProgramOptions& options) {
  auto stream = std::make_shared<CudaStream>(cuda_stream_of(options));
  return std::make_unique<CudaExecution>(compile(graph, options, *stream), std::move(stream), options);
}

}  // namespace chiasm

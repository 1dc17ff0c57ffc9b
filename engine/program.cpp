// SPDX-License-Identifier: Apache-2.0
#include "engine/program.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>

#include "engine/finite.h"

namespace chiasm {

struct Program::Step {
  const AnyOp* op;
  NodeId node;
  std::vector<View> in;
  std::vector<MutableView> out;
  std::span<std::byte> workspace;
};

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

Program::Program(const Graph& graph, const ProgramOptions& options)
    : Program(compile(graph, options, CpuStream(options.threads, options.deterministic)),
              CpuStream(options.threads, options.deterministic)) {}

Program::Program(CompiledGraph compiled, CpuStream stream)
    : graph_(std::move(compiled.graph)),
      stream_(stream),
      plan_(std::move(compiled.plan)),
      arena_(Spec{DType::kUInt8, {plan_.arena_bytes}}),
      state_tensor_(graph_.value_count(), nullptr),
      commits_(graph_.nodes().size(), false) {
  for (std::size_t i = plan_.commit; i < plan_.order.size(); ++i) commits_[plan_.order[i]] = true;
}

Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

View Program::view_of(ValueId id) const {
  const Spec& spec = graph_.spec(id);
  if (plan_.state_of[id] >= 0) {
    const Tensor* tensor = state_tensor_[plan_.state_of[id]];
    if (tensor == nullptr) {
      for (const auto& [name, state] : graph_.states()) {
        if (state == plan_.state_of[id]) throw InputError("the state \"" + name + "\" is not bound to a tensor");
      }
    }
    return View(static_cast<const std::byte*>(tensor->view().data()) + plan_.offset[id], spec);
  }
  if (plan_.offset[id] == MemoryPlan::kNone) return View(arena_.bytes().data(), spec);  // zero bytes
  return View(arena_.bytes().data() + plan_.offset[id], spec);
}

MutableView Program::input(std::string_view name) {
  const View view = view_of(find(graph_.inputs(), name, "input"));
  return MutableView(const_cast<void*>(view.data()), view.spec());
}

void Program::set_input(std::string_view name, const View& value) {
  const MutableView target = input(name);
  if (!(target.spec() == value.spec()) || !value.dense()) {
    throw ShapeError("input \"" + std::string(name) + "\" is a dense " + to_string(target.spec()) + ", found " +
                     to_string(value.spec()));
  }
  std::memcpy(target.data(), value.data(), static_cast<std::size_t>(value.spec().bytes()));
}

View Program::output(std::string_view name) const { return view_of(find(graph_.outputs(), name, "output")); }

void Program::bind(std::string_view name, const Tensor& tensor) {
  const ValueId id = find(graph_.states(), name, "state");
  if (!(graph_.spec(id) == tensor.spec())) {
    throw ShapeError("state \"" + std::string(name) + "\" is " + to_string(graph_.spec(id)) + ", found a tensor " +
                     to_string(tensor.spec()));
  }
  Tensor& kept = bound_[std::string(name)];
  kept = tensor;
  state_tensor_[id] = &kept;
  steps_.clear();
}

void Program::bind_all(const std::map<std::string, Tensor>& tensors) {
  for (const auto& [name, id] : graph_.states()) {
    const auto found = tensors.find(name);
    if (found != tensors.end()) bind(name, found->second);
  }
}

void Program::prepare() {
  if (!steps_.empty()) return;
  first_commit_ = 0;
  for (std::size_t position = 0; position < plan_.order.size(); ++position) {
    const NodeId n = plan_.order[position];
    const Node& node = graph_.nodes()[n];
    if (plan_.is_view[n]) continue;
    first_commit_ += position < plan_.commit;
    Step step{node.op.get(), n, {}, {}, {}};
    for (ValueId id : node.inputs) step.in.push_back(view_of(id));
    for (ValueId id : node.outputs) {
      const View view = view_of(id);
      step.out.emplace_back(const_cast<void*>(view.data()), view.spec());
    }
    if (plan_.workspace_offset[n] != MemoryPlan::kNone) {
      step.workspace = arena_.bytes().subspan(static_cast<std::size_t>(plan_.workspace_offset[n]),
                                              static_cast<std::size_t>(plan_.workspace_bytes[n]));
    }
    steps_.push_back(std::move(step));
  }
}

void Program::run_steps(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    Step& step = steps_[i];
    stream_.lend_workspace(step.workspace);
    step.op->run(stream_, step.in, step.out);
  }
}

void Program::run() {
  run_compute();
  run_commit();
}

void Program::run_compute() {
  prepare();
  run_steps(0, first_commit_);
}

void Program::run_commit() {
  prepare();
  run_steps(first_commit_, steps_.size());
  const auto staged = [&](const MemoryPlan::Copy& copy) {
    return copy.staging == MemoryPlan::kNone ? nullptr : arena_.bytes().data() + copy.staging;
  };
  for (const MemoryPlan::Copy& copy : plan_.copies) {
    const View from = view_of(copy.value);
    if (staged(copy)) std::memcpy(staged(copy), from.data(), static_cast<std::size_t>(from.spec().bytes()));
  }
  for (const MemoryPlan::Copy& copy : plan_.copies) {
    const View from = view_of(copy.value);
    std::memcpy(const_cast<void*>(view_of(copy.state).data()), staged(copy) ? staged(copy) : from.data(),
                static_cast<std::size_t>(from.spec().bytes()));
  }
}

bool Program::updates_are_finite() const {
  for (std::size_t position = plan_.commit; position < plan_.order.size(); ++position) {
    for (ValueId id : graph_.nodes()[plan_.order[position]].inputs) {
      const NodeId producer = graph_.producer(id);
      // Results of other updates do not exist yet.
      const bool computed = producer != Graph::kNoNode && !commits_[producer];
      if (computed && plan_.state_of[id] < 0 && !all_finite(view_of(id))) return false;
    }
  }
  return true;
}

void Program::run_stepwise() {
  prepare();
  for (const auto& [name, id] : graph_.inputs()) require_finite(view_of(id), "input \"" + name + "\"");
  for (const auto& [name, id] : graph_.states()) require_finite(view_of(id), "state \"" + name + "\"");
  for (std::size_t i = 0; i < first_commit_; ++i) {
    run_steps(i, i + 1);
    const Node& node = graph_.nodes()[steps_[i].node];
    for (const MutableView& out : steps_[i].out) {
      require_finite(out, (node.label.empty() ? "" : node.label + ": ") + node.op->name());
    }
  }
}

std::vector<std::pair<std::string, double>> Program::profile_compute() {
  prepare();
  std::map<std::string, double> seconds;
  for (std::size_t i = 0; i < first_commit_; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    run_steps(i, i + 1);
    seconds[steps_[i].op->name()] += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  std::vector<std::pair<std::string, double>> sorted(seconds.begin(), seconds.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

std::int64_t Program::measure_touched_bytes() {
  constexpr std::byte kUntouched{0xdb};
  const std::span<std::byte> bytes = arena_.bytes();
  std::fill(bytes.begin(), bytes.end(), kUntouched);
  // Inputs are written, and nodes may copy them.
  for (const auto& [name, id] : graph_.inputs()) {
    std::memset(input(name).data(), 0, static_cast<std::size_t>(graph_.spec(id).bytes()));
  }
  run_compute();
  std::int64_t touched = static_cast<std::int64_t>(bytes.size());
  while (touched > 0 && bytes[static_cast<std::size_t>(touched - 1)] == kUntouched) --touched;
  return touched;
}

}  // namespace chiasm

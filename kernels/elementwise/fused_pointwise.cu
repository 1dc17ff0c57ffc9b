// SPDX-License-Identifier: Apache-2.0
// FusedPointwise on CUDA: one kernel for every program (pointwise_program.h), so that no code is compiled at run time
// and what runs on a device is what is tested on the host. A thread carries four neighbouring elements through all
// steps: a step is read from the kernel's parameters, and one jump, the same for all threads, leads to its function.
// Values wait in slots of shared memory that no other thread uses, so there are no barriers.
//
// Tensors move once, 16 bytes at a time where addresses and periods allow. A call moves about three times 16 bytes of
// shared memory for each thread, and memory 16 bytes for each tensor.
#include <algorithm>
#include <array>

#include "kernels/cuda/periodic_operand.cuh"
#include "kernels/elementwise/functor_list.h"
#include "kernels/elementwise/fused_pointwise.h"
#include "kernels/elementwise/pointwise_program.h"

namespace chiasm {
namespace {

constexpr int kThreads = 128;

struct alignas(16) Parameters {
  PointwiseProgram::Parameters bytes;
};

struct DeviceProgram {
  PointwiseStep steps[pointwise_limits::kSteps];
  PeriodicOperand inputs[pointwise_limits::kInputs];
  float* outputs[pointwise_limits::kOutputs];
  Parameters parameters[pointwise_limits::kParameters];
  std::uint32_t aligned_outputs;  // bit k: output k begins 16-byte aligned
  std::uint32_t step_count;
  std::uint32_t elements;
};
static_assert(sizeof(DeviceProgram) <= 4096);
static_assert(pointwise_limits::kOutputs <= 32 && pointwise_limits::kSlots * kThreads * sizeof(Float4) <= 48 * 1024);

// The result of function kFunction of F; `last` where F has no such function.
template <class F, int kFunction>
__device__ Float4 call(const DeviceProgram& program, const PointwiseStep& step, const Float4& last,
                       const Float4* slots) {
  if constexpr (kFunction > F::kArity) {
    return last;
  } else {
    using Call = FunctorCall<F, kFunction>;
    const Call function{PointwiseFunction::kept<F>(program.parameters[step.parameters].bytes.data())};
    Float4 v[Call::kArguments];
    for (int k = 0; k < Call::kArguments; ++k) {
      v[k] = step.operands[k] == PointwiseStep::kLast ? last : slots[step.operands[k] * kThreads];
    }
    Float4 result;
    for (int e = 0; e < kElementsPerThread; ++e) {
      float arguments[Call::kArguments];
      for (int k = 0; k < Call::kArguments; ++k) arguments[k] = v[k].value[e];
      result.value[e] = function(arguments);
    }
    return result;
  }
}

__global__ void __launch_bounds__(kThreads) run_program(const __grid_constant__ DeviceProgram program) {
  CHIASM_DYNAMIC_SHARED(Float4, shared);
  const std::uint32_t first = (blockIdx.x * kThreads + threadIdx.x) * kElementsPerThread;
  if (first >= program.elements) return;
  const std::uint32_t count = program.elements - first;
  Float4* const slots = shared + threadIdx.x;  // slot s is slots[s * kThreads]
  Float4 last{};
  for (std::uint32_t s = 0; s < program.step_count; ++s) {
    const PointwiseStep step = program.steps[s];
    switch (step.code) {
      case PointwiseStep::kLoad: {
        Float4 loaded[4];
        for (int k = 0; k < 4; ++k) {
          if (k < step.result) loaded[k] = program.inputs[step.parameters + k].load(first, count);
        }
        for (int k = 0; k < 4; ++k) {
          if (k < step.result) slots[step.operands[k] * kThreads] = loaded[k];
        }
        continue;
      }
      case PointwiseStep::kStore:
        store_pack(program.outputs[step.result] + first, last, count,
                   (program.aligned_outputs >> step.result & 1) != 0);
        continue;
#define CHIASM_CASES(F)                            \
  case value_code<F>:                              \
    last = call<F, 0>(program, step, last, slots); \
    break;                                         \
  case derivative_code<F, 0>:                      \
    last = call<F, 1>(program, step, last, slots); \
    break;                                         \
  case derivative_code<F, 1>:                      \
    last = call<F, 2>(program, step, last, slots); \
    break;                                         \
  case derivative_code<F, 2>:                      \
    last = call<F, 3>(program, step, last, slots); \
    break;
        CHIASM_FOR_EACH_FUNCTOR(CHIASM_CASES)
#undef CHIASM_CASES
      default:
        break;
    }
    if (step.result != PointwiseStep::kLast) slots[step.result * kThreads] = last;
  }
}

// What a launch reads: data, and how it repeats.
struct Source {
  const float* data;
  std::int64_t period;
};

void launch(const CudaStream& stream, const PointwiseProgram& program, std::span<const Source> sources,
            std::span<float* const> targets, std::int64_t elements) {
  DeviceProgram device{};
  std::copy(program.steps.begin(), program.steps.end(), device.steps);
  for (std::size_t k = 0; k < program.parameters.size(); ++k) device.parameters[k].bytes = program.parameters[k];
  device.step_count = static_cast<std::uint32_t>(program.steps.size());
  std::vector<std::int64_t> periods;
  for (const Source& source : sources) periods.push_back(source.period);
  const std::size_t shared = static_cast<std::size_t>(program.slots) * kThreads * sizeof(Float4);
  for_each_range(elements, periods, [&](std::int64_t begin, std::int64_t count) {
    for (std::size_t k = 0; k < sources.size(); ++k) {
      device.inputs[k] = periodic_operand(sources[k].data, sources[k].period, elements, begin);
    }
    device.aligned_outputs = 0;
    for (std::size_t k = 0; k < targets.size(); ++k) {
      device.outputs[k] = targets[k] + begin;
      if (is_aligned16(device.outputs[k])) device.aligned_outputs |= 1u << k;
    }
    device.elements = static_cast<std::uint32_t>(count);
    CHIASM_LAUNCH(stream, run_program, blocks_for(count, kThreads * kElementsPerThread), kThreads, shared, device);
  });
}

Shape full_shape(std::span<const Spec> in) {
  Shape shape = in[0].shape;
  for (const Spec& spec : in) shape = broadcast_shape(FusedPointwise::kName.data(), shape, spec.shape);
  return shape;
}

// Every output might take the memory of every input of the full shape.
std::vector<PointwiseProgram> schedule_for_any_memory(const FusedPointwise& op, std::span<const Spec> in) {
  const Shape shape = full_shape(in);
  std::vector<int> whole;
  for (std::size_t v = 0; v < in.size(); ++v) {
    if (in[v].shape == shape) whole.push_back(static_cast<int>(v));
  }
  return schedule_pointwise(op, std::vector<std::vector<int>>(op.outputs.size(), whole));
}

// Workspace for one result, in elements: the next one begins 16-byte aligned too.
std::int64_t room_for(std::int64_t elements) { return (elements + 3) / 4 * 4; }

// Results that programs before the last one leave in memory, each with room in the workspace.
std::int64_t results_between(const std::vector<PointwiseProgram>& programs) {
  std::int64_t count = 0;
  for (std::size_t p = 0; p + 1 < programs.size(); ++p) count += static_cast<std::int64_t>(programs[p].outputs.size());
  return count;
}

}  // namespace

std::int64_t FusedPointwise::workspace_bytes(const CudaStream&, std::span<const Spec> in) const {
  return results_between(schedule_for_any_memory(*this, in)) * room_for(full_shape(in).elements()) *
         static_cast<std::int64_t>(sizeof(float));
}

void FusedPointwise::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  if (out.empty() || out[0].elements() == 0) return;
  const Shape& shape = out[0].shape();
  const std::int64_t elements = out[0].elements(), room = room_for(elements);
  std::vector<Spec> specs;
  for (const View& view : in) specs.push_back(view.spec());

  std::vector<std::vector<int>> overwritten(out.size());
  for (std::size_t o = 0; o < out.size(); ++o) {
    for (std::size_t v = 0; v < in.size(); ++v) {
      if (in[v].data() == out[o].data() && in[v].shape() == shape) overwritten[o].push_back(static_cast<int>(v));
    }
  }
  // How the op is cut is known before memory is; a program that needs no cut waits for fewer loads when it knows.
  std::vector<PointwiseProgram> programs = schedule_for_any_memory(*this, specs);
  if (programs.size() == 1) {
    std::vector<PointwiseProgram> exact = schedule_pointwise(*this, overwritten);
    if (exact.size() == 1) programs = std::move(exact);
  }

  // Where each operand is, once it is in memory.
  std::vector<Source> source;
  for (const View& view : in) source.push_back({view.as<float>(), broadcast_period(view.shape(), shape)});
  source.resize(in.size() + instructions.size());
  std::vector<float*> target(instructions.size(), nullptr);
  for (std::size_t o = 0; o < out.size(); ++o) target[outputs[o]] = out[o].as<float>();
  auto* scratch = reinterpret_cast<float*>(
      stream.workspace(results_between(programs) * room * static_cast<std::int64_t>(sizeof(float))));
  std::vector<std::pair<float*, const float*>> copies;  // outputs that had to wait until every program has read
  for (std::size_t p = 0; p < programs.size(); ++p) {
    const auto read_later = [&](int input) {
      return std::any_of(programs.begin() + static_cast<std::ptrdiff_t>(p) + 1, programs.end(),
                         [&](const PointwiseProgram& later) {
                           return std::count(later.inputs.begin(), later.inputs.end(), input) > 0;
                         });
    };
    std::vector<float*> targets;
    for (int k : programs[p].outputs) {
      const auto o = static_cast<std::size_t>(std::find(outputs.begin(), outputs.end(), k) - outputs.begin());
      float* to = target[k];
      const bool waits = to != nullptr && std::any_of(overwritten[o].begin(), overwritten[o].end(), read_later);
      if (p + 1 < programs.size() && (to == nullptr || waits)) {
        if (waits) copies.emplace_back(to, scratch);
        to = scratch;
      }
      if (p + 1 < programs.size()) scratch += room;
      targets.push_back(to);
      source[in.size() + static_cast<std::size_t>(k)] = {to, elements};
    }
    std::vector<Source> sources;
    for (int v : programs[p].inputs) sources.push_back(source[v]);
    launch(stream, programs[p], sources, targets, elements);
  }
  for (const auto& [to, from] : copies) {
    CHIASM_CUDA(cudaMemcpyAsync(to, from, static_cast<std::size_t>(elements) * sizeof(float), cudaMemcpyDeviceToDevice,
                                stream.native()));
  }
}

}  // namespace chiasm

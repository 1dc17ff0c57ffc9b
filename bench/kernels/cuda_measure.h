// SPDX-License-Identifier: Apache-2.0
// How the CUDA benches measure an op, and the two ceilings of the device it is compared with.
//
// An op, or the gradient of one of its inputs, runs on several sets of operands in turn, so that a set has left the
// cache when it comes round again. All runs of a repetition are one captured graph, which is timed by events: neither
// the host nor the launches from it are part of the time. After warm-up, the median over repetitions counts, with the
// fastest and the slowest beside it. One JSON line per result.
//
// On the emulated device of a test build the numbers mean nothing; --smoke makes every size tiny and lets the code run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/any_op.h"
#include "engine/tensor.h"
#include "kernels/cuda/capture.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/memory.h"
#include "kernels/cuda/timer.h"
#include "kernels/error.h"
#include "kernels/linear/linear.h"

namespace chiasm::bench {

struct CudaBenchOptions {
  int device = 0;
  bool smoke = false;  // tiny sizes and few repetitions: does the code run?
  bool quick = false;  // fewer repetitions
  std::string filter;  // only rows whose name has this in it
  std::string recipe;  // of benches that read one
  std::int64_t batch = 0;
  std::vector<std::string> overrides;  // of the recipe

  int repetitions() const { return smoke ? 2 : quick ? 5 : 11; }
  // No dimension of a smoke run is larger.
  std::int64_t size(std::int64_t n) const { return smoke ? std::min<std::int64_t>(n, 8) : n; }
  Shape shape(std::vector<std::int64_t> sizes) const {
    for (std::int64_t& n : sizes) n = size(n);
    return Shape(std::span<const std::int64_t>(sizes));
  }
};

inline CudaBenchOptions parse_cuda_bench(int argc, char** argv) {
  CudaBenchOptions o;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    const auto value = [&] {
      if (i + 1 == argc) throw InputError(key + " needs a value");
      return std::string(argv[++i]);
    };
    if (key == "--smoke") {
      o.smoke = true;
    } else if (key == "--quick") {
      o.quick = true;
    } else if (key == "--filter") {
      o.filter = value();
    } else if (key == "--device") {
      o.device = std::stoi(value());
    } else if (key == "--recipe") {
      o.recipe = value();
    } else if (key == "--batch") {
      o.batch = std::stoll(value());
    } else if (key == "--set") {
      o.overrides.push_back(value());
    } else {
      throw InputError(
          "unknown option " + key +
          "; known: --smoke, --quick, --filter TEXT, --device N, --recipe FILE, --batch N, --set KEY=VALUE");
    }
  }
  return o;
}

// Device memory beyond what the L2 cache of any device holds (that of an H100 has 50 MB): sets of operands add up to
// it.
constexpr std::int64_t kBeyondCache = 256 << 20;

struct Seconds {
  double median = 0.0, fastest = 0.0, slowest = 0.0;
};

// Seconds of one of the `calls` that enqueue() makes.
inline Seconds measure_graph(const CudaStream& stream, const CudaBenchOptions& options, int calls,
                             const std::function<void()>& enqueue) {
  enqueue();  // libraries make handles and plans in their first call, which cannot be captured
  stream.synchronize();
  const CapturedWork work(stream, enqueue);
  CudaTimer timer(stream);
  for (int i = 0; i < (options.smoke ? 1 : 3); ++i) work.replay(stream);
  std::vector<double> seconds;
  for (int i = 0; i < options.repetitions(); ++i) {
    timer.start(stream);
    work.replay(stream);
    timer.stop(stream);
    seconds.push_back(timer.seconds() / calls);
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

// Values between 0.05 and 1 in no order: no zeros, no denormals, variances that have a root. Integers below `limit`.
inline Tensor operand(const Spec& spec, std::int64_t limit = 2) {
  Tensor tensor(spec);
  std::uint32_t state = 12345;
  visit_any(spec.dtype, [&]<class T>() {
    for (T& x : tensor.values<T>()) {
      state = state * 1664525U + 1013904223U;
      if constexpr (std::is_floating_point_v<T>) {
        x = static_cast<T>(0.05 + 0.95 * static_cast<double>(state >> 8) / static_cast<double>(1U << 24));
      } else {
        x = static_cast<T>((state >> 8) % static_cast<std::uint32_t>(limit));
      }
    }
  });
  return tensor;
}

// Calls of one op that run on one set of operands: one, or several that are enqueued together.
class OperandSet {
 public:
  OperandSet(const CudaStream& stream, const std::vector<std::vector<Spec>>& in, const AnyOp& op) {
    for (const std::vector<Spec>& specs : in) {
      OpCall call;
      for (const Spec& spec : specs) call.in.emplace_back(View(make(stream, spec), spec));
      for (const Spec& spec : op.infer(specs)) call.out.emplace_back(make(stream, spec), spec);
      calls_.push_back(std::move(call));
    }
  }
  const std::vector<OpCall>& calls() const { return calls_; }
  std::int64_t bytes() const {
    std::int64_t sum = 0;
    for (const DeviceMemory& memory : memory_) sum += memory.bytes();
    return sum;
  }

 private:
  std::byte* make(const CudaStream& stream, const Spec& spec) {
    memory_.emplace_back(stream, std::max<std::int64_t>(spec.bytes(), 16));
    return memory_.back().data();
  }
  std::vector<DeviceMemory> memory_;
  std::vector<OpCall> calls_;
};

struct OpResult {
  Seconds seconds;
  std::int64_t bytes = 0;  // every input read and every output written once
  double flops = 0.0;
  int sets = 0;
  bool cold = false;  // whether all sets together exceed the cache
};

// Runs `op` on calls with inputs like `in`. A call has several rows only where the op runs many together.
inline OpResult measure_op(CudaStream& stream, const CudaBenchOptions& options, const AnyOp& op,
                           const std::vector<std::vector<Tensor>>& in) {
  std::vector<std::vector<Spec>> specs;
  OpResult result;
  for (const std::vector<Tensor>& call : in) {
    std::vector<Spec> of_call;
    for (const Tensor& t : call) of_call.push_back(t.spec());
    const std::vector<Spec> out = op.infer(of_call);
    for (const Spec& s : of_call) result.bytes += s.bytes();
    for (const Spec& s : out) result.bytes += s.bytes();
    result.flops += static_cast<double>(op.flops(of_call, out));
    specs.push_back(std::move(of_call));
  }
  constexpr int kMostSets = 64;
  std::vector<OperandSet> sets;
  std::int64_t total = 0;
  do {
    sets.emplace_back(stream, specs, op);
    total += sets.back().bytes();
  } while (!options.smoke && total < kBeyondCache && sets.size() < kMostSets);
  for (const OperandSet& set : sets) {
    for (std::size_t c = 0; c < in.size(); ++c) {
      for (std::size_t i = 0; i < in[c].size(); ++i) {
        void* const to = const_cast<void*>(set.calls()[c].in[i].data());
        const std::int64_t bytes = specs[c][i].bytes();
        if (&set == &sets[0]) {
          copy_to_device(stream, to, in[c][i].view().data(), bytes);
        } else {
          copy_on_device(stream, to, sets[0].calls()[c].in[i].data(), bytes);
        }
      }
    }
  }
  const DeviceMemory workspace(stream, std::max<std::int64_t>(op.workspace_bytes(stream, specs[0]), 16));
  stream.lend_workspace({workspace.data(), static_cast<std::size_t>(workspace.bytes())});
  stream.synchronize();
  result.sets = static_cast<int>(sets.size());
  result.cold = total >= kBeyondCache;
  const auto once = [&] {
    for (const OperandSet& set : sets) {
      if (set.calls().size() > 1) {
        op.run_many(stream, set.calls());
      } else {
        op.run(stream, set.calls()[0].in, set.calls()[0].out);
      }
    }
  };
  // As many runs in a repetition as take about 20 ms, at least one for each set and at most about 32 in all.
  once();
  CudaTimer timer(stream);
  timer.start(stream);
  once();
  timer.stop(stream);
  const int most = std::max(1, 32 / result.sets);
  const int rounds = options.smoke ? 1 : std::clamp(static_cast<int>(20e-3 / timer.seconds()), 1, most);
  result.seconds = measure_graph(stream, options, rounds * result.sets, [&] {
    for (int r = 0; r < rounds; ++r) once();
  });
  stream.lend_workspace({});
  return result;
}

// The op that computes the gradient of `input`, and operands for it. Outputs that it reads are the forward's own.
inline std::pair<OpPtr, std::vector<Tensor>> gradient_run(CudaStream& stream, const AnyOp& op, int input,
                                                          const std::vector<Tensor>& in) {
  std::vector<Spec> specs;
  for (const Tensor& t : in) specs.push_back(t.spec());
  const std::vector<Spec> out = op.infer(specs);
  const GradientRule rule = op.gradient(input);
  std::vector<Tensor> operands{operand(out[0])};
  for (int i : rule.inputs) operands.push_back(in[static_cast<std::size_t>(i)]);
  if (!rule.outputs.empty()) {
    const OperandSet set(stream, {specs}, op);
    const OpCall& call = set.calls()[0];
    for (std::size_t i = 0; i < in.size(); ++i) {
      copy_to_device(stream, const_cast<void*>(call.in[i].data()), in[i].view().data(), specs[i].bytes());
    }
    const DeviceMemory workspace(stream, std::max<std::int64_t>(op.workspace_bytes(stream, specs), 16));
    stream.lend_workspace({workspace.data(), static_cast<std::size_t>(workspace.bytes())});
    op.run(stream, call.in, call.out);
    stream.lend_workspace({});
    for (int i : rule.outputs) {
      Tensor result(out[static_cast<std::size_t>(i)]);
      copy_to_host(stream, result.bytes().data(), call.out[static_cast<std::size_t>(i)].data(), result.spec().bytes());
      stream.synchronize();
      operands.push_back(std::move(result));
    }
    stream.synchronize();
  }
  return {op.gradient_op(input, specs, out), std::move(operands)};
}

}  // namespace chiasm::bench

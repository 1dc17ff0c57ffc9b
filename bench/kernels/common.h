// SPDX-License-Identifier: Apache-2.0
// What the benches of single ops share: threads, clock, operands and the two ceilings of the machine.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/any_op.h"
#include "engine/tensor.h"
#include "kernels/linear/linear.h"
#include "kernels/stream.h"

namespace chiasm::bench {

// CHIASM_BENCH_THREADS, default 1.
inline int threads() {
  const char* text = std::getenv("CHIASM_BENCH_THREADS");
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

// One thread is timed by its own processor time, which other programs disturb less; more threads by the clock on the
// wall.
inline double seconds() {
  if (threads() == 1) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The best of several, as a ceiling should be, each long enough for the clock.
template <class Body>
double best_seconds(Body&& body) {
  double best = 1e30;
  for (int i = 0; i < 12; ++i) {
    int calls = 0;
    const double start = seconds();
    double end = start;
    for (; end - start < 5e-3; end = seconds(), ++calls) body();
    best = std::min(best, (end - start) / calls);
  }
  return best;
}

// Elements that keep a product away from denormals and zeros.
inline Tensor filled(const Shape& shape) {
  Tensor tensor(Spec{DType::kFloat32, shape});
  std::int64_t i = 0;
  for (float& x : tensor.values<float>()) x = 0.01f * static_cast<float>(i++ * 7919 % 101 - 50);
  return tensor;
}

// Seconds to copy so that `bytes` are moved, half read and half written: where they fit in a cache, in that cache.
inline double copy_seconds(std::int64_t bytes) {
  static std::map<std::int64_t, double> known;
  const auto found = known.find(bytes);
  if (found != known.end()) return found->second;
  const std::int64_t half = bytes / 2;
  Tensor from(Spec{DType::kUInt8, {half}}), to(Spec{DType::kUInt8, {half}});
  const CpuStream stream(threads());
  return known[bytes] = best_seconds([&] {
           stream.parallel_for(half, 16384, [&](std::int64_t begin, std::int64_t end) {
             std::memcpy(to.bytes().data() + begin, from.bytes().data() + begin, static_cast<std::size_t>(end - begin));
           });
           benchmark::ClobberMemory();
         });
}

// An op, or the gradient of one of its inputs, with operands of its own.
class OpRun {
 public:
  // input < 0: forward.
  OpRun(const OpPtr& forward, const std::vector<Tensor>& inputs, int input)
      : stream_(threads()), op_(forward), kept_(inputs) {
    if (input >= 0) {
      std::vector<Spec> in = specs_of(inputs);
      const std::vector<Spec> out = forward->infer(in);
      const GradientRule rule = forward->gradient(input);
      // Outputs that the gradient reads are the forward's own.
      OpRun before(forward, inputs, -1);
      before.run();
      kept_ = {filled(out[0].shape)};
      for (int i : rule.inputs) kept_.push_back(inputs[static_cast<std::size_t>(i)]);
      for (int i : rule.outputs) kept_.push_back(before.results_[static_cast<std::size_t>(i)]);
      op_ = forward->gradient_op(input, in, out);
    }
    const std::vector<Spec> specs = specs_of(kept_);
    for (const Spec& spec : op_->infer(specs)) results_.emplace_back(spec);
    for (const Tensor& t : kept_) in_.push_back(t.view());
    for (Tensor& t : results_) out_.push_back(t.view());
    workspace_ = Tensor(Spec{DType::kUInt8, {op_->workspace_bytes(stream_, specs)}});
  }

  void run() {
    stream_.lend_workspace(workspace_.bytes());
    op_->run(stream_, in_, out_);
  }

  // Every input read and every output written once.
  std::int64_t bytes() const {
    std::int64_t sum = 0;
    for (const View& v : in_) sum += v.spec().bytes();
    for (const MutableView& v : out_) sum += v.spec().bytes();
    return sum;
  }

 private:
  static std::vector<Spec> specs_of(const std::vector<Tensor>& tensors) {
    std::vector<Spec> specs;
    for (const Tensor& t : tensors) specs.push_back(t.spec());
    return specs;
  }
  CpuStream stream_;
  OpPtr op_;
  std::vector<Tensor> kept_, results_;
  std::vector<View> in_;
  std::vector<MutableView> out_;
  Tensor workspace_;
};

// FLOP/s of a 1024 x 1024 matrix product.
inline double sgemm_ceiling() {
  static const double rate = [] {
    constexpr std::int64_t n = 1024;
    const Tensor b = filled({n, n});
    OpRun product(make_op(Linear{}), {filled({n, n}), b, b}, -1);
    return 2.0 * n * n * n / best_seconds([&] { product.run(); });
  }();
  return rate;
}

inline void add_row(const std::string& name, std::function<void(benchmark::State&)> run) {
  auto* entry = benchmark::RegisterBenchmark(name.c_str(), std::move(run))->Unit(benchmark::kMicrosecond);
  if (threads() > 1) entry->UseRealTime();
}

}  // namespace chiasm::bench

// SPDX-License-Identifier: Apache-2.0
// Question: do the three products of Linear run as fast as this machine allows, at the readouts of the networks here
// and at one large layer? Baselines in the same run: OpenBLAS called on the same matrices, and the rate of a large
// product.
//   linear_bench [--benchmark_filter=...] ; CHIASM_BENCH_THREADS=N sets the threads (default 1)
#include <cblas.h>

#include "bench/kernels/common.h"
#include "kernels/vendor/library_threads.h"

namespace chiasm::bench {
namespace {

struct Layer {
  const char* name;
  std::int64_t batch, in, out;
};
constexpr Layer kLayers[] = {{"readout_16", 16, 512, 1000}, {"readout_64", 64, 512, 1000}, {"large", 256, 4096, 1024}};

void report(benchmark::State& state, const Layer& l) {
  const double flops = 2.0 * static_cast<double>(l.batch * l.in * l.out) * static_cast<double>(state.iterations());
  state.counters["GFLOPs"] = benchmark::Counter(flops / 1e9, benchmark::Counter::kIsRate);
  state.counters["ceiling"] = benchmark::Counter(flops / sgemm_ceiling(), benchmark::Counter::kIsRate);
}

// input < 0: forward; otherwise the gradient of that input.
void ours(benchmark::State& state, const Layer& l, int input) {
  const Tensor w = filled({l.in, l.out});
  OpRun run(make_op(Linear{}), {filled({l.batch, l.in}), w, w}, input);
  for (auto _ : state) {
    run.run();
    benchmark::ClobberMemory();
  }
  report(state, l);
}

void openblas(benchmark::State& state, const Layer& l, int input) {
  const Tensor x = filled({l.batch, l.in}), w = filled({l.in, l.out}), dy = filled({l.batch, l.out});
  const float *a = x.view().as<float>(), *b = w.view().as<float>(), *c = dy.view().as<float>();
  Tensor result(Spec{DType::kFloat32, {std::max({l.batch * l.out, l.batch * l.in, l.in * l.out})}});
  float* y = result.view().as<float>();
  const auto product = [y](CBLAS_TRANSPOSE left, CBLAS_TRANSPOSE right, std::int64_t m, std::int64_t n, std::int64_t k,
                           const float* p, std::int64_t p_stride, const float* q, std::int64_t q_stride) {
    const auto size = [](std::int64_t value) { return static_cast<blasint>(value); };
    cblas_sgemm(CblasRowMajor, left, right, size(m), size(n), size(k), 1.0f, p, size(p_stride), q, size(q_stride), 0.0f,
                y, size(n));
  };
  const LibraryThreads scope(threads());
  for (auto _ : state) {
    if (input < 0) {
      product(CblasNoTrans, CblasNoTrans, l.batch, l.out, l.in, a, l.in, b, l.out);
    } else if (input == 0) {
      product(CblasNoTrans, CblasTrans, l.batch, l.in, l.out, c, l.out, b, l.out);
    } else {
      product(CblasTrans, CblasNoTrans, l.in, l.out, l.batch, a, l.in, c, l.out);
    }
    benchmark::ClobberMemory();
  }
  report(state, l);
}

const bool registered = [] {
  for (const Layer& layer : kLayers) {
    for (const auto& [pass, input] : {std::pair{"forward", -1}, {"dx", 0}, {"dw", 1}}) {
      const std::string row = std::string(layer.name) + "/" + pass;
      const int i = input;
      add_row("ours/" + row, [&layer, i](benchmark::State& state) { ours(state, layer, i); });
      add_row("openblas/" + row, [&layer, i](benchmark::State& state) { openblas(state, layer, i); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace chiasm::bench

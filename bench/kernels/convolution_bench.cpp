// SPDX-License-Identifier: Apache-2.0
// Question: do our convolution passes run as fast as this machine allows, for the shapes of a ConvRNN at 64 px and
// batch 16? Baselines in the same run: oneDNN's own code for the same pass with its kernel already in the layout it
// prefers (so without the reordering that our time includes), and the rate of a large single-precision matrix product,
// the ceiling.
//   convolution_bench [--benchmark_filter=ours.*] ; CHIASM_BENCH_THREADS=N sets the threads (default 1)
// One thread is timed by its own processor time, which other programs disturb less; more threads by the clock on the
// wall. Counters: GFLOPs counts every tap of every window, padding included, as is customary; `ceiling` is its share.
#include <string>

#include "bench/kernels/common.h"
#include "kernels/convolution/passes.h"
#include "kernels/vendor/onednn.h"

namespace chiasm::bench {
namespace {

struct Layer {
  const char* name;
  std::int64_t size, in, out, kernel, groups;
};

constexpr std::int64_t kBatch = 16;
constexpr Layer kLayers[] = {
    {"3x3_16px_128", 16, 128, 128, 3, 1},        {"3x3_8px_256", 8, 256, 256, 3, 1},
    {"3x3_4px_512", 4, 512, 512, 3, 1},          {"1x1_16px_64_128", 16, 64, 128, 1, 1},
    {"1x1_8px_256", 8, 256, 256, 1, 1},          {"depthwise7_16px_64", 16, 64, 64, 7, 64},
    {"depthwise7_8px_128", 8, 128, 128, 7, 128}, {"depthwise7_8px_256", 8, 256, 256, 7, 256},
    {"depthwise4_4px_512", 4, 512, 512, 4, 512}, {"depthwise2_2px_512", 2, 512, 512, 2, 512},
};
constexpr std::pair<const char*, ConvPass> kPasses[] = {
    {"forward", ConvPass::kForward}, {"dx", ConvPass::kInputGradient}, {"dw", ConvPass::kWeightGradient}};

ConvGeometry geometry_of(const Layer& layer) {
  return {.batch = kBatch,
          .in_channels = layer.in,
          .out_channels = layer.out,
          .groups = layer.groups,
          .window = resolve_window("bench", Padding2d::same(), {layer.size, layer.size}, {layer.kernel, layer.kernel},
                                   {1, 1})};
}

double flops_of(const ConvGeometry& g) { return 2.0 * static_cast<double>(g.y_elements() * g.taps() * g.group_in()); }

void report(benchmark::State& state, const ConvGeometry& g) {
  using benchmark::Counter;
  const double flops = flops_of(g) * static_cast<double>(state.iterations());
  state.counters["GFLOPs"] = Counter(flops / 1e9, Counter::kIsRate);
  state.counters["ceiling"] = Counter(flops / sgemm_ceiling(), Counter::kIsRate);
}

struct Operands {
  Tensor x, w, y;
  explicit Operands(const ConvGeometry& g)
      : x(filled({g.batch, g.window.in.h, g.window.in.w, g.in_channels})),
        w(filled({g.window.kernel.h, g.window.kernel.w, g.group_in(), g.out_channels})),
        y(filled({g.batch, g.window.out.h, g.window.out.w, g.out_channels})) {}
  Tensor& a(ConvPass pass) { return pass == ConvPass::kInputGradient ? y : x; }
  Tensor& b(ConvPass pass) { return pass == ConvPass::kWeightGradient ? y : w; }
  Tensor& result(ConvPass pass) { return pass == ConvPass::kForward ? y : pass == ConvPass::kInputGradient ? x : w; }
};

void ours(benchmark::State& state, const Layer& layer, ConvPass pass, bool deterministic) {
  const ConvGeometry g = geometry_of(layer);
  Operands operands(g);
  CpuStream stream(threads(), deterministic);
  Tensor workspace(Spec{DType::kUInt8, {conv_workspace_bytes(stream, pass, DType::kFloat32, g)}});
  stream.lend_workspace(workspace.bytes());
  for (auto _ : state) {
    run_convolution(stream, pass, g, operands.a(pass).view(), operands.b(pass).view(), operands.result(pass).view());
    benchmark::ClobberMemory();
  }
  report(state, g);
}

void onednn(benchmark::State& state, const Layer& layer, ConvPass pass) {
  const ConvGeometry g = geometry_of(layer);
  Operands operands(g);
  const auto code = OneDnnConvolution::get(pass, g, threads());
  Tensor kernel(Spec{DType::kUInt8, {code->kernel_bytes()}}),
      scratch(Spec{DType::kUInt8, {code->scratch_bytes() + 64}});
  code->import_kernel(operands.w.view().as<float>(), kernel.bytes().data(), scratch.bytes().data());
  void* x = operands.x.view().data();
  void* y = operands.y.view().data();
  void* w = kernel.view().data();
  for (auto _ : state) {
    switch (pass) {
      case ConvPass::kForward:
        code->run(x, w, y, scratch.bytes().data());
        break;
      case ConvPass::kInputGradient:
        code->run(y, w, x, scratch.bytes().data());
        break;
      case ConvPass::kWeightGradient:
        code->run(x, y, w, scratch.bytes().data());
        break;
    }
    benchmark::ClobberMemory();
  }
  report(state, g);
}

const bool registered = [] {
  for (const Layer& layer : kLayers) {
    for (const auto& [name, pass] : kPasses) {
      const std::string row = std::string(layer.name) + "/" + name;
      const ConvPass p = pass;
      add_row("ours/" + row, [&layer, p](benchmark::State& state) { ours(state, layer, p, false); });
      add_row("deterministic/" + row, [&layer, p](benchmark::State& state) { ours(state, layer, p, true); });
      add_row("onednn/" + row, [&layer, p](benchmark::State& state) { onednn(state, layer, p); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace chiasm::bench

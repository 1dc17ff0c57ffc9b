// SPDX-License-Identifier: Apache-2.0
// Question: do the ops of a training step that do little arithmetic run as fast as memory allows? Shapes are those of
// RGC Median at 64 px and batch 16 ("64px"), and larger ones that no cache holds ("large"). Baseline in the same run:
// copying as many bytes as the op must read and write, each once; `copy` is the share of that speed. Max pooling also
// has oneDNN beside it.
//   memory_bound_bench [--benchmark_filter=...] ; CHIASM_BENCH_THREADS=N sets the threads (default 1)
#include <dnnl.hpp>

#include "bench/kernels/common.h"
#include "kernels/elementwise/map.h"
#include "kernels/indexing/concat.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/optimizer/sgd_step.h"
#include "kernels/pooling/global_average_pool.h"
#include "kernels/pooling/max_pool2d.h"
#include "kernels/reduction/sum_to.h"
#include "kernels/resize/resize2d.h"
#include "kernels/softmax/log_softmax.h"
#include "kernels/softmax/softmax.h"
#include "kernels/vendor/library_threads.h"

namespace chiasm::bench {
namespace {

void report(benchmark::State& state, std::int64_t bytes) {
  const double moved = static_cast<double>(bytes) * static_cast<double>(state.iterations());
  state.counters["GB/s"] = benchmark::Counter(moved / 1e9, benchmark::Counter::kIsRate);
  const double rate = static_cast<double>(bytes) / copy_seconds(bytes);
  state.counters["copy"] = benchmark::Counter(moved / rate, benchmark::Counter::kIsRate);
}

// Rows <name>/forward and, for each input in `gradients`, <name>/gradient<input>.
void add_op(const std::string& name, const OpPtr& op, const std::function<std::vector<Tensor>()>& inputs,
            const std::vector<int>& gradients) {
  std::vector<int> passes{-1};
  passes.insert(passes.end(), gradients.begin(), gradients.end());
  for (int pass : passes) {
    add_row(name + (pass < 0 ? "/forward" : "/gradient" + std::to_string(pass)), [=](benchmark::State& state) {
      OpRun run(op, inputs(), pass);
      for (auto _ : state) {
        run.run();
        benchmark::ClobberMemory();
      }
      report(state, run.bytes());
    });
  }
}

std::function<std::vector<Tensor>()> images(const Shape& shape, int count = 1) {
  return [=] {
    std::vector<Tensor> list;
    for (int i = 0; i < count; ++i) list.push_back(filled(shape));
    return list;
  };
}

std::function<std::vector<Tensor>()> logits_and_labels(std::int64_t batch, std::int64_t classes) {
  return [=] {
    Tensor labels(Spec{DType::kInt32, {batch}});
    for (std::int64_t i = 0; i < batch; ++i) {
      labels.values<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i * 7 % classes);
    }
    return std::vector<Tensor>{filled({batch, classes}), labels};
  };
}

// Max pooling 2 x 2 by oneDNN, which keeps the place of each maximum for its backward pass.
void onednn_max_pool(benchmark::State& state, const Shape& shape, bool backward) {
  using namespace dnnl;
  const LibraryThreads limit(threads());
  using Tag = memory::format_tag;
  const memory::dims from{shape[0], shape[3], shape[1], shape[2]};
  const memory::dims to{shape[0], shape[3], shape[1] / 2, shape[2] / 2};
  const memory::dims two{2, 2}, none{0, 0};
  const memory::desc x_desc(from, memory::data_type::f32, Tag::nhwc), y_desc(to, memory::data_type::f32, Tag::nhwc);
  const engine cpu(engine::kind::cpu, 0);
  stream queue(cpu);
#if DNNL_VERSION_MAJOR >= 3
  const pooling_forward::primitive_desc forward(cpu, prop_kind::forward_training, algorithm::pooling_max, x_desc,
                                                y_desc, two, two, none, none, none);
  const pooling_backward::primitive_desc gradient(cpu, algorithm::pooling_max, x_desc, y_desc, two, two, none, none,
                                                  none, forward);
#else
  const pooling_forward::primitive_desc forward(
      pooling_forward::desc(prop_kind::forward_training, algorithm::pooling_max, x_desc, y_desc, two, two, none, none),
      cpu);
  const pooling_backward::primitive_desc gradient(
      pooling_backward::desc(algorithm::pooling_max, x_desc, y_desc, two, two, none, none), cpu, forward);
#endif
  Tensor x = filled(shape), y = filled({shape[0], shape[1] / 2, shape[2] / 2, shape[3]});
  const memory x_memory(x_desc, cpu, x.view().data()), y_memory(y_desc, cpu, y.view().data());
  const memory places(forward.workspace_desc(), cpu);
  const pooling_forward run_forward(forward);
  const pooling_backward run_gradient(gradient);
  const auto pool = [&] {
    run_forward.execute(queue, {{DNNL_ARG_SRC, x_memory}, {DNNL_ARG_DST, y_memory}, {DNNL_ARG_WORKSPACE, places}});
    queue.wait();
  };
  pool();
  for (auto _ : state) {
    if (backward) {
      run_gradient.execute(
          queue, {{DNNL_ARG_DIFF_DST, y_memory}, {DNNL_ARG_DIFF_SRC, x_memory}, {DNNL_ARG_WORKSPACE, places}});
      queue.wait();
    } else {
      pool();
    }
    benchmark::ClobberMemory();
  }
  // The bytes of our op for the same pass, so that the columns compare: its gradient reads x, y and dy and writes dx.
  report(state, backward ? 2 * x.spec().bytes() + 2 * y.spec().bytes() : x.spec().bytes() + y.spec().bytes());
}

void add_max_pool(const std::string& name, const Shape& shape) {
  add_op("max_pool2d/" + name, make_op(MaxPool2d{}), images(shape), {0});
  add_row("max_pool2d_onednn/" + name + "/forward",
          [=](benchmark::State& state) { onednn_max_pool(state, shape, false); });
  add_row("max_pool2d_onednn/" + name + "/gradient0",
          [=](benchmark::State& state) { onednn_max_pool(state, shape, true); });
}

void add_resize(const std::string& name, const Shape& from, std::int64_t size) {
  add_op("resize2d/" + name, make_op(Resize2d{size, size, ResizeConvention::kAlignCorners}), images(from), {0});
}

const bool registered = [] {
  add_max_pool("conv4_64px", {16, 16, 16, 128});
  add_max_pool("conv6_64px", {16, 8, 8, 256});
  add_max_pool("large", {32, 56, 56, 128});
  // Feedback connections: conv8 to conv5, conv7 and conv9 to conv6, conv10 to conv7.
  add_resize("conv8_conv5_64px", {16, 2, 2, 256}, 8);
  add_resize("conv9_conv6_64px", {16, 4, 4, 512}, 8);
  add_resize("conv10_conv7_64px", {16, 1, 1, 512}, 4);
  add_resize("large", {32, 14, 14, 512}, 28);
  // Gradients of biases.
  add_op("sum_to/conv4_64px", make_op(SumTo{{128}}), images({16, 16, 16, 128}), {});
  add_op("sum_to/conv6_64px", make_op(SumTo{{256}}), images({16, 4, 4, 256}), {});
  add_op("sum_to/conv10_64px", make_op(SumTo{{512}}), images({16, 2, 2, 512}), {});
  add_op("sum_to/readout", make_op(SumTo{{1000}}), images({16, 1000}), {});
  add_op("sum_to/large", make_op(SumTo{{128}}), images({32, 56, 56, 128}), {});
  add_op("global_average_pool/64px", make_op(GlobalAveragePool{}), images({16, 2, 2, 512}), {0});
  add_op("softmax/16x1000", make_op(Softmax{}), images({16, 1000}), {0});
  add_op("softmax/large", make_op(Softmax{}), images({16384, 1000}), {0});
  add_op("log_softmax/16x1000", make_op(LogSoftmax{}), images({16, 1000}), {0});
  add_op("log_softmax/large", make_op(LogSoftmax{}), images({16384, 1000}), {0});
  add_op("cross_entropy/16x1000", make_op(CrossEntropy{}), logits_and_labels(16, 1000), {0});
  add_op("cross_entropy/large", make_op(CrossEntropy{}), logits_and_labels(16384, 1000), {0});
  // One kernel of conv9, and all of RGC Median: w, g and v are read, w and v written. Then one of the sums in which the
  // gradients of a weight at several timesteps are collected.
  const auto sgd = [](const Shape& shape) {
    return [=] {
      std::vector<Tensor> list = images(shape, 3)();
      list.emplace_back(Spec{DType::kFloat32, {}});
      return list;
    };
  };
  add_op("sgd_step/conv9", make_op(SgdStep{.momentum = 0.9, .l2 = 1e-4}), sgd({3, 3, 512, 512}), {});
  add_op("sgd_step/all", make_op(SgdStep{.momentum = 0.9, .l2 = 1e-4}), sgd({15'445'800}), {});
  add_op("add/conv9", make_op(Map<Add>{}), images({3, 3, 512, 512}, 2), {});
  add_op("concat/feedback_conv6_64px", make_op(Concat{3}),
         [] {
           return std::vector<Tensor>{filled({16, 8, 8, 256}), filled({16, 8, 8, 512})};
         },
         {});
  return true;
}();

}  // namespace
}  // namespace chiasm::bench

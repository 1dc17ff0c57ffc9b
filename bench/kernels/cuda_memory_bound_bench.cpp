// SPDX-License-Identifier: Apache-2.0
// Question: do the ops of a training step that do little arithmetic reach 85 % of the device's copy bandwidth? Shapes
// are those of RGC Median at 64 px and batch 64, of ResNet-18 at 224 px, and larger ones. Baseline in the same run: a
// copy of 1 GiB within device memory, counted as bytes read and written; `share_of_copy` counts every input and output
// of the op once. Small tensors are bound by the few microseconds that a kernel takes to start and end: their rows say
// `cold` false where even 64 sets of operands fit the cache.
//   cuda_memory_bound_bench [--filter TEXT] [--quick] [--smoke] [--device N]
#include "bench/kernels/cuda_report.h"
#include "kernels/elementwise/add_n.h"
#include "kernels/elementwise/map.h"
#include "kernels/indexing/concat.h"
#include "kernels/indexing/transpose.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/normalization/batch_norm.h"
#include "kernels/normalization/layer_norm.h"
#include "kernels/normalization/local_response_norm.h"
#include "kernels/optimizer/adam_step.h"
#include "kernels/optimizer/sgd_step.h"
#include "kernels/pooling/average_pool2d.h"
#include "kernels/pooling/global_average_pool.h"
#include "kernels/pooling/max_pool2d.h"
#include "kernels/random/dropout.h"
#include "kernels/random/noise.h"
#include "kernels/reduction/mean.h"
#include "kernels/reduction/sum_to.h"
#include "kernels/reduction/variance.h"
#include "kernels/resize/resize2d.h"
#include "kernels/softmax/log_softmax.h"
#include "kernels/softmax/softmax.h"
#include "models/tasks/classification/graphs.h"
#include "tools/recipe/recipe.h"

namespace chiasm::bench {
namespace {

using Sizes = std::vector<std::int64_t>;

class Rows {
 public:
  explicit Rows(const CudaBenchOptions& options)
      : report_("cuda_memory_bound", options, "do ops that do little arithmetic reach 85 % of the copy bandwidth?",
                "a copy of 1 GiB within device memory") {}

  Tensor floats(const Sizes& sizes) const { return operand({DType::kFloat32, report_.options().shape(sizes)}); }
  Tensor ints(const Sizes& sizes, std::int64_t limit = 2) const {
    return operand({DType::kInt32, report_.options().shape(sizes)}, report_.options().size(limit));
  }
  std::int64_t size(std::int64_t n) const { return report_.options().size(n); }

  // Rows <name>/forward and, for each input in `gradients`, <name>/gradient<input>.
  void add(const std::string& name, const OpPtr& op, const std::vector<Tensor>& in,
           const std::vector<int>& gradients = {}) {
    CudaStream& stream = report_.stream();
    if (const std::string row = name + "/forward"; report_.wants(row)) {
      report_.memory_row(row, measure_op(stream, report_.options(), *op, {in}));
    }
    for (int input : gradients) {
      const std::string row = name + "/gradient" + std::to_string(input);
      if (!report_.wants(row)) continue;
      const auto [gradient, operands] = gradient_run(stream, *op, input, in);
      report_.memory_row(row, measure_op(stream, report_.options(), *gradient, {operands}));
    }
  }

  // One call for each tensor of a network, all enqueued together.
  void add_many(const std::string& row, const OpPtr& op, const std::vector<std::vector<Tensor>>& calls) {
    if (report_.wants(row)) report_.memory_row(row, measure_op(report_.stream(), report_.options(), *op, calls));
  }

 private:
  CudaReport report_;
};

void pooling_and_resizing(Rows& rows) {
  rows.add("max_pool2d/rgc_conv4", make_op(MaxPool2d{}), {rows.floats({64, 16, 16, 128})}, {0});
  rows.add("max_pool2d/rgc_conv6", make_op(MaxPool2d{}), {rows.floats({64, 8, 8, 256})}, {0});
  rows.add("max_pool2d/resnet_stem", make_op(MaxPool2d{.window = {3, 3}}), {rows.floats({128, 112, 112, 64})}, {0});
  rows.add("average_pool2d/large", make_op(AveragePool2d{}), {rows.floats({128, 56, 56, 128})}, {0});
  rows.add("global_average_pool/resnet", make_op(GlobalAveragePool{}), {rows.floats({128, 7, 7, 512})}, {0});
  const auto resize = [&](std::int64_t n) {
    return make_op(Resize2d{rows.size(n), rows.size(n), ResizeConvention::kAlignCorners});
  };
  rows.add("resize2d/rgc_conv8_conv5", resize(8), {rows.floats({64, 2, 2, 256})}, {0});
  rows.add("resize2d/rgc_conv9_conv6", resize(8), {rows.floats({64, 4, 4, 512})}, {0});
  rows.add("resize2d/large", resize(56), {rows.floats({64, 28, 28, 256})}, {0});
  rows.add("concat/rgc_conv6_feedback", make_op(Concat{3}),
           {rows.floats({64, 8, 8, 256}), rows.floats({64, 8, 8, 512})});
}

void reductions(Rows& rows) {
  rows.add("sum_to/bias_rgc_conv4", make_op(SumTo{{rows.size(128)}}), {rows.floats({64, 16, 16, 128})});
  rows.add("sum_to/bias_rgc_conv9", make_op(SumTo{{rows.size(512)}}), {rows.floats({64, 4, 4, 512})});
  rows.add("sum_to/bias_readout", make_op(SumTo{{rows.size(1000)}}), {rows.floats({64, 1000})});
  rows.add("sum_to/bias_large", make_op(SumTo{{rows.size(64)}}), {rows.floats({128, 112, 112, 64})});
  rows.add("mean/all_large", make_op(Mean{}), {rows.floats({128, 56, 56, 64})}, {0});
  rows.add("variance/channels_large", make_op(Variance{.axes = {0, 1, 2}}), {rows.floats({128, 56, 56, 64})}, {0});
  for (const auto& [name, sizes] :
       {std::pair{"resnet_conv2", Sizes{128, 56, 56, 64}}, std::pair{"resnet_conv5", Sizes{128, 7, 7, 512}}}) {
    const std::int64_t channels = sizes.back();
    const std::vector<Tensor> in{rows.floats(sizes), rows.floats({channels}), rows.floats({channels})};
    rows.add(std::string("batch_norm/") + name, make_op(BatchNorm{}), in, {0, 1});
    rows.add(std::string("local_response_norm/") + name, make_op(LocalResponseNorm{}), {in[0]}, {0});
  }
  rows.add("layer_norm/rgc_conv4", make_op(LayerNorm{}),
           {rows.floats({64, 16, 16, 128}), rows.floats({128}), rows.floats({128})}, {0, 1});
  rows.add("layer_norm/large", make_op(LayerNorm{}),
           {rows.floats({128, 56, 56, 64}), rows.floats({64}), rows.floats({64})}, {0, 1});
}

void losses(Rows& rows) {
  for (const auto& [name, batch] : {std::pair{"64x1000", 64}, std::pair{"16384x1000", 16384}}) {
    const std::string suffix = std::string("/") + name;
    const Tensor logits = rows.floats({batch, 1000});
    rows.add("softmax" + suffix, make_op(Softmax{}), {logits}, {0});
    rows.add("log_softmax" + suffix, make_op(LogSoftmax{}), {logits}, {0});
    rows.add("cross_entropy" + suffix, make_op(CrossEntropy{}), {logits, rows.ints({batch}, 1000)}, {0});
  }
}

void elementwise_and_random(Rows& rows) {
  const Tensor large = rows.floats({128, 56, 56, 64});
  rows.add("add/large", make_op(Map<Add>{}), {large, large});
  rows.add("add_bias/large", make_op(Map<Add>{}), {large, rows.floats({64})});
  rows.add("elu/large", make_op(Map<Elu>{}), {large}, {0});
  rows.add("add_n/rgc_conv9_gradients", make_op(AddN{}), std::vector<Tensor>(5, rows.floats({3, 3, 512, 512})));
  rows.add("transpose/large", make_op(Transpose{{0, 3, 1, 2}}), {large});
  rows.add("dropout/large", make_op(Dropout{}), {large, rows.ints({1}), rows.ints({128}, 1000)}, {0});
  rows.add("noise/large", make_op(Noise{.shape = large.spec().shape}), {Tensor(Spec{DType::kInt32, {}})});
}

// Every parameter of RGC Median, in one launch for a few hundred tensors.
void optimizers(Rows& rows) {
  const Recipe recipe = load_recipe("rgc_median", {"model.image=[64,64,3]"});
  Parameters parameters;
  build_training_step(recipe.network, parameters, 1, recipe.train.optimizer, {});
  std::vector<std::vector<Tensor>> sgd, adam;
  const Tensor rate = Tensor(Spec{DType::kFloat32, {}});
  Tensor step(Spec{DType::kInt32, {}});
  step.values<std::int32_t>()[0] = 1;
  for (const Parameter& p : parameters.all()) {
    if (p.role != ParameterRole::kForward) continue;
    const Tensor w = rows.floats({p.spec.shape.begin(), p.spec.shape.end()});
    sgd.push_back({w, w, w, rate});
    adam.push_back({w, w, w, w, rate, step});
  }
  rows.add_many("sgd_step/rgc_all", make_op(SgdStep{.momentum = 0.9, .l2 = 1e-4}), sgd);
  rows.add_many("adam_step/rgc_all", make_op(AdamStep{}), adam);
}

void run(const CudaBenchOptions& options) {
  Rows rows(options);
  pooling_and_resizing(rows);
  reductions(rows);
  losses(rows);
  elementwise_and_random(rows);
  optimizers(rows);
}

}  // namespace
}  // namespace chiasm::bench

int main(int argc, char** argv) {
  return chiasm::bench::run_cuda_bench("cuda_memory_bound_bench", argc, argv, chiasm::bench::run);
}

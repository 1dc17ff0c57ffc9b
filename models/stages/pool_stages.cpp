// SPDX-License-Identifier: Apache-2.0
#include "kernels/pooling/adaptive_average_pool2d.h"
#include "kernels/pooling/average_pool2d.h"
#include "kernels/pooling/global_average_pool.h"
#include "kernels/pooling/max_pool2d.h"
#include "models/parsing.h"
#include "models/stages/stage_makers.h"

namespace chiasm {
namespace {

// Reads {"size", "stride", "padding", "ceil"} into a pooling op.
template <class Op>
Op read_window(const ConfigNode& config) {
  const std::int64_t size = config.integer("size", {1, 1024});
  const std::int64_t stride = config.integer_or("stride", size, {1, 1024});
  Op op;
  op.window = {size, size};
  op.stride = {stride, stride};
  op.padding = read_padding(config, "padding", Padding2d::same());
  op.padding.ceil_mode = config.boolean_or("ceil", false);
  return op;
}

template <class Op>
std::shared_ptr<const Stage> stage_of_op(Op op) {
  return stage_of([op](const Scope& scope, const StageInput& in) { return scope.graph().apply(op, {in.x}); });
}

}  // namespace

std::shared_ptr<const Stage> make_max_pool_stage(const ConfigNode& config) {
  return stage_of_op(read_window<MaxPool2d>(config));
}

std::shared_ptr<const Stage> make_average_pool_stage(const ConfigNode& config) {
  AveragePool2d op = read_window<AveragePool2d>(config);
  op.count_include_pad = config.boolean_or("count_padding", false);
  return stage_of_op(op);
}

std::shared_ptr<const Stage> make_adaptive_average_pool_stage(const ConfigNode& config) {
  const std::vector<std::int64_t> size = config.integers("size", {1, 8192}, {2, 2});
  return stage_of_op(AdaptiveAveragePool2d{.height = size[0], .width = size[1]});
}

std::shared_ptr<const Stage> make_global_average_pool_stage(const ConfigNode&) {
  return stage_of_op(GlobalAveragePool{});
}

}  // namespace chiasm

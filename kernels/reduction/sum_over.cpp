// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/sum_over.h"

#include "kernels/op.h"
#include "kernels/reduction/reduce.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 16384;

template <class T>
void sum_naive(const View& x, AxisMask reduced, double scale, const MutableView& y) {
  T* out = y.as<T>();
  const T* in = x.as<T>();
  const Strides over = strides_over_input(y.shape(), y.strides(), reduced, x.shape().rank());
  for_each_offset(
      y.shape(), [&](std::int64_t k) { out[k] = T(0); }, y.strides());
  for_each_offset(
      x.shape(), [&](std::int64_t i, std::int64_t k) { out[k] += in[i]; }, x.strides(), over);
  for_each_offset(
      y.shape(), [&](std::int64_t k) { out[k] *= static_cast<T>(scale); }, y.strides());
}

}  // namespace

void sum_over(const CpuStream& stream, const View& x, AxisMask reduced, double scale, const MutableView& y) {
  if (x.dtype() == DType::kFloat64) return sum_naive<double>(x, reduced, scale, y);
  if (!all_dense(x, y)) return sum_naive<float>(x, reduced, scale, y);
  const ReducePlan plan(x.shape(), reduced);
  const float* in = x.as<float>();
  float* out = y.as<float>();
  const auto factor = static_cast<float>(scale);
  plan.reduce<1>(
      stream, stream.workspace(plan.workspace_bytes(1)), SumOf{},
      [in](std::int64_t i, std::int64_t) CHIASM_INLINE_LAMBDA { return std::array<float, 1>{in[i]}; },
      [out, factor](std::int64_t k, const auto& sum) CHIASM_INLINE_LAMBDA { out[k] = sum[0] * factor; });
}

std::int64_t sum_over_workspace_bytes(const Spec& x, AxisMask reduced) {
  return x.dtype == DType::kFloat32 ? ReducePlan(x.shape, reduced).workspace_bytes(1) : 0;
}

void spread_over(const CpuStream& stream, const View& dy, AxisMask reduced, double scale, const MutableView& dx) {
  const Strides over = strides_over_input(dy.shape(), dy.strides(), reduced, dx.shape().rank());
  if (dx.dtype() == DType::kFloat64) {
    for_each_offset(
        dx.shape(), [&](std::int64_t i, std::int64_t k) { dx.as<double>()[i] = scale * dy.as<double>()[k]; },
        dx.strides(), over);
    return;
  }
  const LoopNest<2> nest(dx.shape(), {dx.strides(), over});
  const float* from = dy.as<float>();
  float* to = dx.as<float>();
  const auto factor = static_cast<float>(scale);
  stream.parallel_for(dx.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      nest.for_rows(begin, end, [&](std::int64_t count, const auto& at) CHIASM_INLINE_LAMBDA {
        float* __restrict__ y = to + at[0];
        const float* x = from + at[1];
        const std::int64_t y_step = nest.row_stride(0), x_step = nest.row_stride(1);
        if (y_step == 1 && x_step == 0) {
          std::fill_n(y, count, *x * factor);
        } else if (y_step == 1 && x_step == 1) {
          for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * factor;
        } else {
          for (std::int64_t i = 0; i < count; ++i) y[i * y_step] = x[i * x_step] * factor;
        }
      });
    });
  });
}

}  // namespace chiasm

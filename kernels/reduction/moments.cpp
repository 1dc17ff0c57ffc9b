// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/moments.h"

#include "kernels/reduction/reduce.h"

namespace chiasm {

void moments(const CpuStream& stream, const float* x, const Shape& shape, AxisMask reduced, void* workspace,
             MeanParts mean, float* squares) {
  const ReducePlan plan(shape, reduced);
  const auto share = static_cast<float>(1.0 / static_cast<double>(reduced_count(shape, reduced)));
  float *near = mean.near, *rest = mean.rest;
  plan.reduce<1>(
      stream, workspace, SumOf{},
      [x](std::int64_t i, std::int64_t) CHIASM_INLINE_LAMBDA { return std::array<float, 1>{x[i]}; },
      [=](std::int64_t k, const auto& sum) CHIASM_INLINE_LAMBDA { near[k] = sum[0] * share; });
  plan.reduce<2>(
      stream, workspace, SumOf{},
      [=](std::int64_t i, std::int64_t k) CHIASM_INLINE_LAMBDA {
        const float distance = x[i] - near[k];
        return std::array<float, 2>{distance, distance * distance};
      },
      [=](std::int64_t k, const auto& sum) CHIASM_INLINE_LAMBDA {
        rest[k] = sum[0] * share;
        const float about_mean = sum[1] - sum[0] * rest[k];
        // Below zero only by rounding; written so that NaN stays.
        if (squares != nullptr) squares[k] = about_mean < 0.0f ? 0.0f : about_mean;
      });
}

std::int64_t moments_workspace_bytes(const Shape& shape, AxisMask reduced) {
  return ReducePlan(shape, reduced).workspace_bytes(2);
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// SumTo: sums a tensor to the shape it was broadcast from. It turns the gradient of a broadcasting op into the gradient
// of its input: [N, H, W, C] to a bias [C], [N, H, W, C] to a batch of one [1, H, W, C].
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct SumTo {
  static constexpr std::string_view kName = "sum_to";

  Shape shape;
  bool operator==(const SumTo&) const = default;

  // Input: one floating tensor to whose shape `shape` broadcasts; ShapeError otherwise. Output: its sum, of `shape`.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  BatchRule batch_rule(std::span<const Spec> in) const;
  SumTo at_batch(std::span<const Spec> in, std::int64_t batch) const;
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
};

}  // namespace chiasm

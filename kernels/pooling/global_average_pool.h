// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePool: the mean over the image, [N, H, W, C] -> [N, C].
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct GlobalAveragePool {
  static constexpr std::string_view kName = "global_average_pool";
  static constexpr std::uint32_t kBatchInputs = 0b1;

  bool operator==(const GlobalAveragePool&) const = default;

  // Input: floating [N, H, W, C] with at least one pixel. Output: [N, C].
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({}); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
};

}  // namespace chiasm

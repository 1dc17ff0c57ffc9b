// SPDX-License-Identifier: Apache-2.0
// Pick: of each sample, the part that its own index names: y[n, b..] = x[n, index[n], b..].
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Pick {
  static constexpr std::string_view kName = "pick";
  static constexpr std::uint32_t kBatchInputs = 0b11;

  bool operator==(const Pick&) const = default;

  // Inputs: x [N, K, ...] of any element type, index int32 [N] in [0, K). Output: [N, ...]. forward() throws InputError
  // for an index out of range; on CUDA, where indices are known on the device only, what it names is NaN (0 for
  // integers).
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // The parts that were not picked get a gradient of zero.
  GradientRule gradient(int input) const { return input == 0 ? GradientRule::kernel({1}) : GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm

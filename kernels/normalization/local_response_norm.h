// SPDX-License-Identifier: Apache-2.0
// LocalResponseNorm: y_c = x_c / (bias + alpha * sum of x_j^2 over channels |j - c| <= radius)^beta (Krizhevsky et al.
// 2012, in TensorFlow's convention: alpha is not divided by the number of channels summed). Channels beyond the ends
// count as zero.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct LocalResponseNorm {
  static constexpr std::string_view kName = "local_response_norm";

  int radius = 5;  // at most 256
  double bias = 1.0;
  double alpha = 1e-4;
  double beta = 0.75;
  bool operator==(const LocalResponseNorm&) const = default;

  // Input: floating x [..., C]. Output: y like x. Throws ShapeError when radius is out of range.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::kernel({0}); }
  BatchRule batch_rule(std::span<const Spec> in) const { return BatchRule::each_if(in[0].shape.rank() > 1); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Fill: a constant tensor.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Fill {
  static constexpr std::string_view kName = "fill";

  Spec spec;
  double value = 0.0;
  bool operator==(const Fill&) const = default;

  // No inputs. Throws InputError when an integer type does not hold `value` exactly.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::none(); }
  Fill at_batch(std::span<const Spec>, std::int64_t batch) const { return {{spec.dtype, spec.shape.with(0, batch)}, value}; }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// FusedPointwise: a chain of element-wise functions that goes through memory once. It works through short tiles: every
// function runs over a tile before the next tile begins, so a value between two functions stays in cache. Results have
// the bits of the functions applied one by one to whole tensors on the same device.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "kernels/elementwise/pointwise_function.h"
#include "kernels/op.h"

namespace chiasm {

// How element i of a result reads an operand: its element i mod period, where the operand's axes are the innermost ones
// of the result (a bias [C], a batch of one, a scalar, or the full shape). Zero for any other broadcast and for empty
// results.
std::int64_t broadcast_period(const Shape& operand, const Shape& result);

struct FusedPointwise {
  static constexpr std::string_view kName = "fused_pointwise";
  static constexpr bool kInPlace = true;

  // Operand v is input v of the op; inputs + k is the result of instruction k.
  struct Instruction {
    PointwiseFunction function;
    std::vector<int> operands;  // one for each argument of the function
    bool operator==(const Instruction&) const = default;
  };

  int inputs = 0;
  std::vector<Instruction> instructions;
  std::vector<int> outputs;  // instructions whose results leave the op

  bool operator==(const FusedPointwise&) const = default;

  // Whether it belongs to the backward pass.
  bool is_gradient() const {
    return std::any_of(instructions.begin(), instructions.end(),
                       [](const Instruction& i) { return i.function.gradient; });
  }

  // Inputs: floating, of one element type, of the full shape or as broadcast_period describes. Outputs: the full shape.
  // Throws InternalError when an instruction reads what is not computed yet.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  // It is made after differentiation.
  GradientRule gradient(int) const { return GradientRule::none(); }
  std::int64_t workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const;
  std::int64_t flops(std::span<const Spec> in) const;
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
  std::int64_t workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
};

}  // namespace chiasm

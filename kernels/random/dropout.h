// SPDX-License-Identifier: Apache-2.0
// Dropout: sets elements to zero with probability `rate` and divides the others by 1 - rate.
//
// Which elements: element e of the row with data-set index s is dropped when the uniform number of random_stream.h at
// (seed, dropout, epoch, s, op, e) is below `rate`. So the mask of a row does not depend on the rest of its batch, on
// threads, on the element type or on the device, and the backward pass makes it again instead of storing it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Dropout {
  static constexpr std::string_view kName = "dropout";
  static constexpr bool kInPlace = true;
  static constexpr std::uint32_t kBatchInputs = 0b101;

  double rate = 0.5;       // in [0, 1), used to 24 bits
  std::uint64_t seed = 0;  // of the run
  std::uint32_t op = 0;    // tells the dropout ops of a network apart
  bool operator==(const Dropout&) const = default;

  // Inputs: floating x [N, ...], epoch int32 [1], sample int32 [N], the data-set index of each row.
  // Throws InputError for a rate outside [0, 1).
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int input) const { return input == 0 ? GradientRule::kernel({1, 2}) : GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  void backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const;
};

}  // namespace chiasm

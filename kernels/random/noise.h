// SPDX-License-Identifier: Apache-2.0
// Noise: a tensor of independent random numbers of mean zero, new ones for each draw.
//
// Element e (row-major) is number e of random_stream.h at (seed, noise, epoch = draw, sample = 0, op): a pure function
// of these, whatever the threads, the shape and the run's past. Float64 is the reference; float32 is within 8 ulp of
// it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/op.h"

namespace chiasm {

struct Noise {
  static constexpr std::string_view kName = "noise";
  enum Distribution : std::uint8_t {
    kNormal,   // RandomStream::normal
    kUniform,  // on [-h, h], h = sqrt(3) deviation: RandomStream::uniform (24 bits), stretched to be symmetric about
               // zero
  };

  Shape shape = {};
  DType dtype = DType::kFloat32;
  Distribution distribution = kNormal;
  double deviation = 1.0;  // standard deviation, at least 0
  std::uint64_t seed = 0;  // of the run
  std::uint32_t op = 0;    // tells the noise ops of a network apart
  bool operator==(const Noise&) const = default;

  // Input: draw int32 [], one number per training step. Throws ShapeError for an element type that is not floating, and
  // InputError for a deviation that is negative or not finite.
  std::vector<Spec> infer(std::span<const Spec> in) const;
  GradientRule gradient(int) const { return GradientRule::none(); }
  void forward(CpuStream& stream, Inputs in, Outputs out) const;
  void backward(CpuStream&, int, Inputs, Inputs, View, MutableView) const {}  // never called
  void forward(CudaStream& stream, Inputs in, Outputs out) const;
  std::int64_t flops(std::span<const Spec>) const { return 40 * shape.elements(); }
};

}  // namespace chiasm

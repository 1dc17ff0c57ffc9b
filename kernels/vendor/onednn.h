// SPDX-License-Identifier: Apache-2.0
// The one place that speaks to oneDNN (2.x or 3.x): float32 convolutions on N x H x W x C images. oneDNN picks the
// layout of the kernel; the caller reorders kh x kw x Cin x Cout into it and back, in memory it owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/convolution/geometry.h"

namespace chiasm {

// One pass of one convolution, compiled for a number of threads. Immutable: any number of threads may run one.
class OneDnnConvolution {
 public:
  // Compiled on first use and kept. The result may be called from as many threads as it was compiled for.
  static std::shared_ptr<const OneDnnConvolution> get(ConvPass pass, const ConvGeometry& geometry, int threads);
  virtual ~OneDnnConvolution() = default;

  // Whether oneDNN has generated code for this shape on this machine, rather than a matrix product or plain loops.
  virtual bool direct() const = 0;
  // Memory for the kernel (or its gradient) in oneDNN's layout, and scratch for each concurrent call; multiples of 64.
  virtual std::int64_t kernel_bytes() const = 0;
  virtual std::int64_t scratch_bytes() const = 0;

  // Between our layout and oneDNN's. Scratch is 64-byte aligned, here and below.
  virtual void import_kernel(const float* ours, std::byte* theirs, std::byte* scratch) const = 0;
  virtual void export_kernel(std::byte* theirs, float* ours, std::byte* scratch) const = 0;

  // Operands as ConvPass says, except that the kernel, operand or result, is in oneDNN's layout. 64-byte aligned
  // scratch.
  virtual void run(const void* a, const void* b, void* result, std::byte* scratch) const = 0;
};

}  // namespace chiasm

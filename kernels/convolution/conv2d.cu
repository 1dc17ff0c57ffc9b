// SPDX-License-Identifier: Apache-2.0
// Conv2d on CUDA; which code computes a pass is decided in kernels/convolution/passes.cu.
#include "kernels/convolution/conv2d.h"
#include "kernels/convolution/op_geometry.h"
#include "kernels/convolution/passes.cuh"

namespace chiasm {
namespace {

ConvPass pass_of(int input) { return input == 0 ? ConvPass::kInputGradient : ConvPass::kWeightGradient; }

}  // namespace

std::int64_t Conv2d::workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const {
  return conv_workspace_bytes(stream, ConvPass::kForward, geometry_of(*this, in[0].shape, in[1].shape));
}

std::int64_t Conv2d::backward_workspace_bytes(const CudaStream& stream, int input, std::span<const Spec> in) const {
  return conv_workspace_bytes(stream, pass_of(input), geometry_of(*this, in[0].shape, in[1].shape));
}

void Conv2d::forward(CudaStream& stream, Inputs in, Outputs out) const {
  const ConvGeometry geometry = geometry_of(*this, in[0].shape(), in[1].shape());
  run_convolution(stream, kName, ConvPass::kForward, geometry, in[0], in[1], out[0]);
}

void Conv2d::backward(CudaStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const ConvGeometry geometry = geometry_of(*this, in[0].shape(), in[1].shape());
  if (input == 0) {
    run_convolution(stream, kName, pass_of(input), geometry, dy, in[2], dx);
  } else {
    run_convolution(stream, kName, pass_of(input), geometry, in[0], dy, dx);
  }
}

}  // namespace chiasm

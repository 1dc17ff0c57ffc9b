// SPDX-License-Identifier: Apache-2.0
// ConvTranspose2d on CUDA: the passes of the Conv2d that it is the transpose of.
#include "kernels/convolution/conv_transpose2d.h"
#include "kernels/convolution/op_geometry.h"
#include "kernels/convolution/passes.cuh"

namespace chiasm {
namespace {

ConvPass pass_of(int input) { return input == 0 ? ConvPass::kForward : ConvPass::kWeightGradient; }

}  // namespace

std::int64_t ConvTranspose2d::workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const {
  return conv_workspace_bytes(stream, ConvPass::kInputGradient, geometry_of(*this, in[0].shape, in[1].shape));
}

std::int64_t ConvTranspose2d::backward_workspace_bytes(const CudaStream& stream, int input,
                                                       std::span<const Spec> in) const {
  return conv_workspace_bytes(stream, pass_of(input), geometry_of(*this, in[0].shape, in[1].shape));
}

void ConvTranspose2d::forward(CudaStream& stream, Inputs in, Outputs out) const {
  const ConvGeometry geometry = geometry_of(*this, in[0].shape(), in[1].shape());
  run_convolution(stream, kName, ConvPass::kInputGradient, geometry, in[0], in[1], out[0]);
}

void ConvTranspose2d::backward(CudaStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const ConvGeometry geometry = geometry_of(*this, in[0].shape(), in[1].shape());
  run_convolution(stream, kName, pass_of(input), geometry, dy, input == 0 ? in[2] : in[0], dx);
}

}  // namespace chiasm

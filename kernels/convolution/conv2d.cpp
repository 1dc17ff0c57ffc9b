// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/conv2d.h"

#include "kernels/convolution/op_geometry.h"
#include "kernels/convolution/passes.h"

namespace chiasm {

ConvGeometry geometry_of(const Conv2d& op, const Shape& x, const Shape& weight) {
  return {.batch = x[0],
          .in_channels = x[3],
          .out_channels = weight[3],
          .groups = op.groups,
          .window =
              resolve_window(Conv2d::kName, op.padding, {x[1], x[2]}, {weight[0], weight[1]}, op.stride, op.dilation)};
}

namespace {

ConvPass pass_of(int input) { return input == 0 ? ConvPass::kInputGradient : ConvPass::kWeightGradient; }

}  // namespace

std::vector<Spec> Conv2d::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 3);
  const Spec &x = in[0], &weight = in[1];
  require_rank(kName, "x", x, 4);
  require_floating(kName, "x", x);
  require_rank(kName, "weight", weight, 4);
  require_dtype(kName, "weight", weight, x.dtype);
  require_dtype(kName, "weight_backward", in[2], x.dtype);
  require_shape(kName, "weight_backward", in[2], weight.shape);
  const std::int64_t channels = x.shape[3], out_channels = weight.shape[3];
  if (groups < 1 || channels < 1 || out_channels < 1 || channels % groups != 0 || out_channels % groups != 0) {
    throw_shape(kName, "groups must divide the channels, found groups " + std::to_string(groups) + ", input channels " +
                           std::to_string(channels) + ", output channels " + std::to_string(out_channels));
  }
  if (weight.shape[2] != channels / groups) {
    throw_shape(kName, "x " + to_string(x.shape) + " has " + std::to_string(channels) + " channels in " +
                           std::to_string(groups) + (groups == 1 ? " group" : " groups") + ", weight " +
                           to_string(weight.shape) + " takes " + std::to_string(weight.shape[2]) + " in each");
  }
  if (padding.ceil_mode) throw_shape(kName, "ceil_mode is for pooling");
  const Size2d size = geometry_of(*this, x.shape, weight.shape).window.out;
  return {Spec{x.dtype, Shape{x.shape[0], size.h, size.w, out_channels}}};
}

GradientRule Conv2d::gradient(int input) const {
  switch (input) {
    case 0:
      return GradientRule::kernel({2});
    case 1:
      return GradientRule::kernel({0});
    default:
      return GradientRule::none();
  }
}

std::int64_t Conv2d::flops(std::span<const Spec> in) const {
  return geometry_of(*this, in[0].shape, in[1].shape).flops();
}

std::int64_t Conv2d::workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const {
  return conv_workspace_bytes(stream, ConvPass::kForward, in[0].dtype, geometry_of(*this, in[0].shape, in[1].shape));
}

std::int64_t Conv2d::backward_workspace_bytes(const CpuStream& stream, int input, std::span<const Spec> in) const {
  return conv_workspace_bytes(stream, pass_of(input), in[0].dtype, geometry_of(*this, in[0].shape, in[1].shape));
}

void Conv2d::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const ConvGeometry geometry = geometry_of(*this, in[0].shape(), in[1].shape());
  run_convolution(stream, ConvPass::kForward, geometry, in[0], in[1], out[0]);
}

void Conv2d::backward(CpuStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const ConvGeometry geometry = geometry_of(*this, in[0].shape(), in[1].shape());
  if (input == 0) {
    run_convolution(stream, ConvPass::kInputGradient, geometry, dy, in[2], dx);
  } else {
    run_convolution(stream, ConvPass::kWeightGradient, geometry, in[0], dy, dx);
  }
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/conv_transpose2d.h"

#include "kernels/convolution/op_geometry.h"
#include "kernels/convolution/passes.h"

namespace chiasm {
namespace {

Size2d output_size_of(const ConvTranspose2d& op, Size2d in, Size2d kernel) {
  if (op.output_size != Size2d{0, 0}) return op.output_size;
  if (op.padding.kind == Padding2d::Kind::kSame) return {in.h * op.stride.h, in.w * op.stride.w};
  const auto along = [](std::int64_t size, std::int64_t stride, std::int64_t taps, std::int64_t dilation,
                        std::int64_t padding) { return (size - 1) * stride + (taps - 1) * dilation + 1 - padding; };
  return {along(in.h, op.stride.h, kernel.h, op.dilation.h, op.padding.top + op.padding.bottom),
          along(in.w, op.stride.w, kernel.w, op.dilation.w, op.padding.left + op.padding.right)};
}

}  // namespace

// The problem of C: its image is our output.
ConvGeometry geometry_of(const ConvTranspose2d& op, const Shape& x, const Shape& weight) {
  const Size2d kernel{weight[0], weight[1]};
  return {.batch = x[0],
          .in_channels = weight[2] * op.groups,
          .out_channels = x[3],
          .groups = op.groups,
          .window = resolve_window(ConvTranspose2d::kName, op.padding, output_size_of(op, {x[1], x[2]}, kernel), kernel,
                                   op.stride, op.dilation)};
}

namespace {

ConvPass backward_pass(int input) { return input == 0 ? ConvPass::kForward : ConvPass::kWeightGradient; }

}  // namespace

std::vector<Spec> ConvTranspose2d::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 3);
  const Spec &x = in[0], &weight = in[1];
  require_rank(kName, "x", x, 4);
  require_floating(kName, "x", x);
  require_rank(kName, "weight", weight, 4);
  require_dtype(kName, "weight", weight, x.dtype);
  require_dtype(kName, "weight_backward", in[2], x.dtype);
  require_shape(kName, "weight_backward", in[2], weight.shape);
  if (weight.shape[3] != x.shape[3]) {
    throw_shape(kName, "x " + to_string(x.shape) + " has " + std::to_string(x.shape[3]) + " channels, weight " +
                           to_string(weight.shape) + " takes " + std::to_string(weight.shape[3]));
  }
  if (groups < 1 || x.shape[3] < 1 || weight.shape[2] < 1 || x.shape[3] % groups != 0) {
    throw_shape(kName, "groups must divide the channels, found groups " + std::to_string(groups) + ", input channels " +
                           std::to_string(x.shape[3]) + ", output channels of each group " +
                           std::to_string(weight.shape[2]));
  }
  if (padding.ceil_mode) throw_shape(kName, "ceil_mode is for pooling");
  const ConvGeometry g = geometry_of(*this, x.shape, weight.shape);
  const Size2d found{x.shape[1], x.shape[2]};
  if (g.window.out != found) {
    throw_shape(kName, "an output of " + to_string(g.window.in) + " belongs to an input of " + to_string(g.window.out) +
                           ", found " + to_string(found));
  }
  return {Spec{x.dtype, Shape{x.shape[0], g.window.in.h, g.window.in.w, g.in_channels}}};
}

GradientRule ConvTranspose2d::gradient(int input) const {
  switch (input) {
    case 0:
      return GradientRule::kernel({2});
    case 1:
      return GradientRule::kernel({0});
    default:
      return GradientRule::none();
  }
}

std::int64_t ConvTranspose2d::flops(std::span<const Spec> in) const {
  return geometry_of(*this, in[0].shape, in[1].shape).flops();
}

std::int64_t ConvTranspose2d::workspace_bytes(const CpuStream& stream, std::span<const Spec> in) const {
  return conv_workspace_bytes(stream, ConvPass::kInputGradient, in[0].dtype,
                              geometry_of(*this, in[0].shape, in[1].shape));
}

std::int64_t ConvTranspose2d::backward_workspace_bytes(const CpuStream& stream, int input,
                                                       std::span<const Spec> in) const {
  return conv_workspace_bytes(stream, backward_pass(input), in[0].dtype, geometry_of(*this, in[0].shape, in[1].shape));
}

void ConvTranspose2d::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const ConvGeometry geometry = geometry_of(*this, in[0].shape(), in[1].shape());
  run_convolution(stream, ConvPass::kInputGradient, geometry, in[0], in[1], out[0]);
}

void ConvTranspose2d::backward(CpuStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const ConvGeometry geometry = geometry_of(*this, in[0].shape(), in[1].shape());
  run_convolution(stream, backward_pass(input), geometry, dy, input == 0 ? in[2] : in[0], dx);
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/conv_transpose2d.h"

#include <gtest/gtest.h>

#include "kernels/convolution/conv2d.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"
#include "tests/support/untied.h"

namespace chiasm::test {
namespace {

OpCase row(const std::string& name, ConvTranspose2d op, const Shape& x, Size2d kernel, std::int64_t out_channels) {
  const Shape weight{kernel.h, kernel.w, out_channels / op.groups, x[3]};
  const double longest = std::max<double>(
      static_cast<double>(x[0] * x[1] * x[2]),  // weight gradient
      static_cast<double>(kernel.h * kernel.w * std::max(x[3], out_channels)) / static_cast<double>(op.groups));
  return {.name = "conv_transpose2d_" + name,
          .op = make_op(op),
          .inputs = {{x}, {weight}, {.shape = weight, .same_as = 1}},
          .k = 2.0,  // a product and a sum round, in any order of summation
          .reduction = longest};
}

OpCase untied(OpCase c) {
  c.name += "_untied";
  c.inputs[2].same_as = -1;
  c.skip_difference = {0};  // on purpose not the derivative; expect_untied and the golden values cover it
  return c;
}

CHIASM_OP_CASES(ConvTranspose2d,
                {row("odd", {.stride = {2, 2}}, {2, 3, 4, 3}, {3, 3}, 5),
                 untied(row("odd", {.stride = {2, 2}}, {2, 3, 4, 3}, {3, 3}, 5)),
                 row("single", {}, {1, 1, 1, 1}, {1, 1}, 1), row("even", {}, {1, 4, 3, 2}, {4, 2}, 3),
                 row("sides", {.stride = {2, 3}, .padding = Padding2d::sides(1, 0, 0, 2)}, {1, 4, 3, 2}, {3, 4}, 3),
                 row("output_size", {.stride = {3, 3}, .padding = Padding2d::valid(), .output_size = {7, 10}},
                     {1, 2, 3, 9}, {2, 2}, 4),
                 row("dilated", {.dilation = {2, 1}}, {1, 5, 4, 2}, {3, 3}, 2),
                 row("groups", {.stride = {2, 1}, .groups = 2}, {1, 3, 4, 4}, {3, 3}, 6),
                 row("depthwise", {.stride = {2, 2}, .groups = 9}, {2, 3, 2, 9}, {3, 3}, 9),
                 row("full_vectors", {}, {1, 5, 5, 8}, {3, 3}, 8)});

TEST(ConvTranspose2d, Golden) {
  const Golden golden("conv_transpose2d");
  const auto check = [&](const char* name, ConvTranspose2d op) { expect_golden(golden, name, *make_op(op)); };
  check("same", {.stride = {2, 2}});
  check("same_even", {});
  check("explicit", {.stride = {2, 2}, .padding = Padding2d::sides(1, 2, 0, 1)});
  check("output_size", {.stride = {3, 3}, .padding = Padding2d::valid(), .output_size = {5, 9}});
  check("groups", {.groups = 2});
  check("depthwise", {.stride = {2, 2}, .groups = 3});
  check("dilated", {.padding = Padding2d::valid(), .dilation = {2, 3}});
}

// <Conv2d(a), b> = <a, ConvTranspose2d(b)>, by one kernel: small integers, so exactly.
TEST(ConvTranspose2d, IsTheTransposeOfConv2d) {
  const Spec image{DType::kFloat32, {2, 7, 6, 4}}, kernel{DType::kFloat32, {3, 2, 2, 6}};
  Buffer a(image), w(kernel);
  for (std::int64_t i = 0; i < a.view().elements(); ++i) set_value(a.view(), i, static_cast<double>(i * 7 % 11 - 5));
  for (std::int64_t i = 0; i < w.view().elements(); ++i) set_value(w.view(), i, static_cast<double>(i * 5 % 7 - 3));
  const std::vector<Buffer> down = run_op(*make_op(Conv2d{.stride = {2, 3}, .groups = 2}),
                                          std::vector<View>{a.view(), w.view(), w.view()}, CpuStream(1));
  Buffer b(down[0].view().spec());
  for (std::int64_t i = 0; i < b.view().elements(); ++i) set_value(b.view(), i, static_cast<double>(i * 3 % 5 - 2));
  const std::vector<Buffer> up = run_op(*make_op(ConvTranspose2d{.stride = {2, 3}, .groups = 2, .output_size = {7, 6}}),
                                        std::vector<View>{b.view(), w.view(), w.view()}, CpuStream(1));
  const auto dot = [](const View& p, const View& q) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < p.elements(); ++i) sum += p.as<float>()[i] * q.as<float>()[i];
    return sum;
  };
  ASSERT_EQ(up[0].view().shape(), image.shape);
  EXPECT_EQ(dot(down[0].view(), b.view()), dot(a.view(), up[0].view()));
  EXPECT_NE(dot(down[0].view(), b.view()), 0.0);
}

TEST(ConvTranspose2d, BackwardWeightTakesPartInTheInputGradientOnly) {
  expect_untied(untied(row("dense", {.stride = {2, 2}}, {3, 5, 4, 8}, {3, 3}, 16)));
  expect_untied(untied(row("depthwise", {.stride = {2, 2}, .groups = 11}, {2, 3, 4, 11}, {3, 3}, 11)));
}

std::string message(const ConvTranspose2d& op, const Shape& x, const Shape& weight) {
  try {
    const Spec w{DType::kFloat32, weight};
    op.infer(std::vector<Spec>{Spec{DType::kFloat32, x}, w, w});
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ConvTranspose2d, ErrorsNameBothSides) {
  EXPECT_EQ(message({.stride = {2, 2}, .output_size = {9, 6}}, {1, 4, 3, 2}, {3, 3, 5, 2}),
            "[conv_transpose2d] an output of 9x6 belongs to an input of 5x3, found 4x3");
  EXPECT_EQ(message({}, {1, 4, 3, 2}, {3, 3, 2, 5}),
            "[conv_transpose2d] x [1, 4, 3, 2] has 2 channels, weight [3, 3, 2, 5] takes 5");
  EXPECT_EQ(message({.padding = Padding2d::all(4)}, {1, 4, 4, 2}, {3, 3, 5, 2}),
            "[conv_transpose2d] input size must be between 1 and 16777216, found -2x-2");
  EXPECT_EQ(message({.groups = 2}, {1, 4, 4, 3}, {3, 3, 5, 3}),
            "[conv_transpose2d] groups must divide the channels, found groups 2, input channels 3, output channels of "
            "each group 5");
}

}  // namespace
}  // namespace chiasm::test

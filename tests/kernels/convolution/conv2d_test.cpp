// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/conv2d.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/golden.h"
#include "tests/support/op_checks.h"
#include "tests/support/untied.h"

namespace chiasm::test {
namespace {

OpCase row(const std::string& name, Conv2d op, const Shape& x, Size2d kernel, std::int64_t out_channels) {
  const Shape weight{kernel.h, kernel.w, x[3] / op.groups, out_channels};
  const double longest = std::max<double>(
      static_cast<double>(x[0] * x[1] * x[2]),  // weight gradient
      static_cast<double>(kernel.h * kernel.w * std::max(x[3], out_channels)) / static_cast<double>(op.groups));
  return {.name = "conv2d_" + name,
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

// A row for the float32 code; its float64 reference is the one that smaller rows compare with differences.
OpCase fast_only(OpCase c) {
  c.skip_difference = {0, 1};
  return c;
}

CHIASM_OP_CASES(
    Conv2dDense,
    {row("odd", {}, {2, 5, 7, 3}, {3, 3}, 5), untied(row("odd", {}, {2, 5, 7, 3}, {3, 3}, 5)),
     row("single", {}, {1, 1, 1, 1}, {1, 1}, 1), row("pointwise", {}, {2, 3, 4, 11}, {1, 1}, 9),
     row("pointwise_strided", {.stride = {2, 2}}, {1, 5, 4, 3}, {1, 1}, 5), row("even", {}, {1, 6, 5, 3}, {2, 4}, 4),
     row("strided_same", {.stride = {2, 2}}, {2, 8, 7, 3}, {7, 7}, 4),
     row("strided_sides", {.stride = {2, 3}, .padding = Padding2d::sides(0, 1, 2, 0)}, {1, 7, 8, 2}, {3, 2}, 3),
     row("valid", {.padding = Padding2d::valid()}, {2, 6, 5, 4}, {3, 3}, 3),
     row("clamped", {}, {2, 3, 3, 4}, {3, 3}, 8), row("kernel_beyond_image", {}, {1, 3, 3, 2}, {7, 7}, 3),
     row("dilated", {.dilation = {2, 3}}, {1, 7, 8, 3}, {3, 3}, 2),
     fast_only(row("full_vectors", {}, {1, 6, 6, 16}, {3, 3}, 16)),
     fast_only(untied(row("tiny_map", {}, {3, 2, 2, 16}, {2, 2}, 24))),
     fast_only(row("batch", {}, {19, 5, 5, 8}, {3, 3}, 8)), fast_only(row("wide", {}, {2, 9, 9, 32}, {3, 3}, 40)),
     fast_only(row("pointwise_wide", {}, {2, 5, 5, 32}, {1, 1}, 24))});

CHIASM_OP_CASES(Conv2dGroups,
                {row("groups", {.groups = 2}, {2, 5, 4, 6}, {3, 3}, 4),
                 fast_only(row("groups_wide", {.stride = {2, 1}, .groups = 2}, {1, 6, 5, 16}, {3, 3}, 32)),
                 untied(row("groups", {.groups = 3}, {1, 4, 4, 6}, {2, 3}, 9)),
                 row("multiplier", {.groups = 5}, {1, 4, 5, 5}, {3, 3}, 10)});

CHIASM_OP_CASES(Conv2dDepthwise,
                {fast_only(row("depthwise", {.groups = 8}, {2, 9, 11, 8}, {3, 3}, 8)),
                 fast_only(row("depthwise_odd_channels", {.groups = 13}, {3, 6, 5, 13}, {7, 7}, 13)),
                 untied(row("depthwise_odd_channels", {.groups = 13}, {2, 4, 5, 13}, {5, 7}, 13)),
                 row("depthwise_clamped", {.groups = 16}, {2, 3, 3, 16}, {3, 3}, 16),
                 row("depthwise_beyond_image", {.groups = 3}, {1, 3, 3, 3}, {7, 7}, 3),
                 row("depthwise_even", {.groups = 4}, {1, 4, 4, 4}, {4, 4}, 4),
                 row("depthwise_strided", {.stride = {2, 3}, .groups = 9}, {2, 7, 8, 9}, {3, 4}, 9),
                 row("depthwise_sides", {.padding = Padding2d::sides(4, 0, 0, 3), .groups = 2}, {1, 5, 4, 2}, {3, 2},
                     2),
                 row("depthwise_dilated", {.stride = {1, 2}, .groups = 2, .dilation = {2, 2}}, {1, 7, 9, 2}, {3, 3}, 2),
                 row("depthwise_wide_kernel", {.groups = 2}, {1, 2, 19, 2}, {1, 11}, 2),
                 row("depthwise_one_pixel", {.groups = 10}, {2, 1, 1, 10}, {1, 1}, 10)});

TEST(Conv2d, Golden) {
  const Golden golden("conv2d");
  const auto check = [&](const char* name, Conv2d op) { expect_golden(golden, name, *make_op(op)); };
  check("plain", {});
  check("strided_even", {.stride = {2, 3}});
  check("explicit", {.padding = Padding2d::sides(0, 2, 1, 0)});
  check("groups", {.groups = 2});
  check("depthwise", {.groups = 3});
  check("depthwise_strided", {.stride = {2, 2}, .groups = 2});
  check("multiplier", {.groups = 2});
  check("dilated", {.stride = {2, 1}, .dilation = {2, 3}});
  check("pointwise", {});
  check("large_kernel", {});
}

// The vectors of the ConvRNN specification: all sums are small integers, so every path must give them exactly.
void expect_ones_kernel(std::int64_t size, Size2d kernel, std::int64_t stride, double first,
                        const std::vector<double>& expected) {
  for (DType type : {DType::kFloat32, DType::kFloat64}) {
    for (std::int64_t channels : {1, 2}) {  // with 2, depthwise: the second channel is twice the first
      Buffer x(Spec{type, {1, size, size, channels}}), w(Spec{type, {kernel.h, kernel.w, 1, channels}});
      for (std::int64_t i = 0; i < x.view().elements(); ++i) {
        const double pixel = first + static_cast<double>(i / channels);
        set_value(x.view(), i, i % channels == 0 ? pixel : 2.0 * pixel);
      }
      for (std::int64_t i = 0; i < w.view().elements(); ++i) set_value(w.view(), i, 1.0);
      const OpPtr op = make_op(Conv2d{.stride = {stride, stride}, .groups = channels});
      const std::vector<Buffer> y = run_op(*op, std::vector<View>{x.view(), w.view(), w.view()}, CpuStream(2));
      ASSERT_EQ(y[0].view().elements(), static_cast<std::int64_t>(expected.size()) * channels);
      for (std::size_t i = 0; i < expected.size() * static_cast<std::size_t>(channels); ++i) {
        const auto c = static_cast<std::size_t>(channels);
        EXPECT_EQ(value_at(y[0].view(), static_cast<std::int64_t>(i)), expected[i / c] * (i % c == 0 ? 1.0 : 2.0)) << i;
      }
    }
  }
}

TEST(Conv2d, SamePaddingOnRamps) {
  expect_ones_kernel(4, {2, 2}, 1, 0, {10, 14, 18, 10, 26, 30, 34, 18, 42, 46, 50, 26, 25, 27, 29, 15});
  expect_ones_kernel(3, {4, 4}, 1, 1, {45, 45, 33, 45, 45, 33, 39, 39, 28});
  expect_ones_kernel(6, {3, 3}, 2, 0, {63, 81, 63, 171, 189, 135, 168, 180, 126});
  expect_ones_kernel(8, {7, 7}, 2, 0,
                     {450, 665, 615, 430, 910, 1323, 1197, 826, 1140, 1638, 1458, 996, 920, 1316, 1164, 792});
}

TEST(Conv2d, BackwardWeightTakesPartInTheInputGradientOnly) {
  expect_untied(untied(row("dense", {}, {3, 6, 7, 8}, {3, 3}, 16)));
  expect_untied(untied(row("tiny", {}, {3, 2, 2, 9}, {3, 3}, 7)));
  expect_untied(untied(row("pointwise", {}, {3, 6, 7, 8}, {1, 1}, 16)));
  expect_untied(untied(row("depthwise", {.groups = 11}, {3, 6, 7, 11}, {3, 3}, 11)));
  expect_untied(untied(row("groups", {.stride = {2, 2}, .groups = 2}, {2, 6, 7, 4}, {3, 3}, 6)));
}

// What a library compiled on one thread runs on others, at the same time.
TEST(Conv2d, StreamsOnOtherThreadsGiveTheSameBits) {
  for (const OpCase& c : {row("dense", {}, {3, 6, 7, 16}, {3, 3}, 24), row("small", {}, {3, 2, 2, 16}, {3, 3}, 24),
                          row("depthwise", {.groups = 11}, {3, 6, 7, 11}, {3, 3}, 11)}) {
    const std::vector<Buffer> in = make_inputs(c, DType::kFloat32);
    const std::vector<Buffer> expected = run_op(*c.op, views_of(in), CpuStream(1));
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (int repeat = 0; repeat < 5; ++repeat) {
          const std::vector<Buffer> out = run_op(*c.op, views_of(in), CpuStream(1));
          EXPECT_TRUE(bit_equal(out[0].view(), expected[0].view())) << c.name;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

std::string message(const Conv2d& op, const Shape& x, const Shape& weight) {
  try {
    const Spec w{DType::kFloat32, weight};
    op.infer(std::vector<Spec>{Spec{DType::kFloat32, x}, w, w});
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Conv2d, ErrorsNameBothSides) {
  EXPECT_EQ(message({.padding = Padding2d::valid()}, {1, 5, 5, 3}, {7, 7, 3, 4}),
            "[conv2d] kernel 7x7 does not fit input 5x5 with padding 0");
  EXPECT_EQ(message({}, {1, 5, 5, 3}, {3, 3, 4, 4}),
            "[conv2d] x [1, 5, 5, 3] has 3 channels in 1 group, weight [3, 3, 4, 4] takes 4 in each");
  EXPECT_EQ(message({.groups = 2}, {1, 5, 5, 3}, {3, 3, 1, 4}),
            "[conv2d] groups must divide the channels, found groups 2, input channels 3, output channels 4");
  EXPECT_EQ(message({}, {5, 5, 3}, {3, 3, 3, 4}), "[conv2d] x must have 4 axes, found shape [5, 5, 3]");
  EXPECT_EQ(message({.stride = {0, 1}}, {1, 5, 5, 3}, {3, 3, 3, 4}),
            "[conv2d] stride must be between 1 and 16777216, found 0x1");
}

}  // namespace
}  // namespace chiasm::test

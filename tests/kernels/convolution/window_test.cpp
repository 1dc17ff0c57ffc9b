// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/error.h"

namespace chiasm::test {
namespace {

// One axis: {out, before, after}.
std::vector<std::int64_t> axis(const Padding2d& padding, std::int64_t in, std::int64_t kernel, std::int64_t stride,
                               std::int64_t dilation = 1) {
  const Window2d w =
      resolve_window("test", padding, {in, in}, {kernel, kernel}, {stride, stride}, {dilation, dilation});
  EXPECT_EQ(w.out.h, w.out.w);
  EXPECT_EQ(w.top, w.left);
  EXPECT_EQ(w.bottom, w.right);
  return {w.out.h, w.top, w.bottom};
}

using testing::ElementsAre;

TEST(Window, SameFollowsTensorFlow) {
  const Padding2d same = Padding2d::same();
  EXPECT_THAT(axis(same, 224, 7, 2), ElementsAre(112, 2, 3));
  EXPECT_THAT(axis(same, 9, 2, 1), ElementsAre(9, 0, 1));
  EXPECT_THAT(axis(same, 9, 4, 1), ElementsAre(9, 1, 2));
  EXPECT_THAT(axis(same, 9, 3, 1), ElementsAre(9, 1, 1));
  EXPECT_THAT(axis(same, 9, 7, 1), ElementsAre(9, 3, 3));
  EXPECT_THAT(axis(same, 7, 2, 2), ElementsAre(4, 0, 1));
  EXPECT_THAT(axis(same, 3, 7, 1), ElementsAre(3, 3, 3));
  EXPECT_THAT(axis(same, 8, 1, 2), ElementsAre(4, 0, -1));  // the stride skips the last row
  EXPECT_THAT(axis(same, 9, 3, 1, 2), ElementsAre(9, 2, 2));
}

TEST(Window, ExplicitRoundsDownUnlessCeilMode) {
  EXPECT_THAT(axis(Padding2d::valid(), 6, 3, 2), ElementsAre(2, 0, -1));
  EXPECT_THAT(axis(Padding2d::all(1), 6, 3, 2), ElementsAre(3, 1, 0));
  EXPECT_THAT(axis(Padding2d::all(4), 2, 2, 1), ElementsAre(9, 4, 4));  // windows wholly inside the padding count
  Padding2d ceil = Padding2d::valid();
  ceil.ceil_mode = true;
  EXPECT_THAT(axis(ceil, 6, 3, 2), ElementsAre(3, 0, 1));
  EXPECT_THAT(axis(ceil, 7, 3, 2), ElementsAre(3, 0, 0));
  // A third window would start beyond the image and its left padding.
  ceil.top = ceil.bottom = ceil.left = ceil.right = 1;
  EXPECT_THAT(axis(ceil, 3, 2, 3), ElementsAre(2, 1, 1));
  EXPECT_THAT(axis(ceil, 2, 2, 3), ElementsAre(1, 1, -1));
}

TEST(Window, SidesMayDiffer) {
  const Window2d w = resolve_window("test", Padding2d::sides(0, 1, 2, 3), {5, 6}, {2, 4}, {1, 3});
  EXPECT_EQ(w.out, (Size2d{5, 3}));
  EXPECT_EQ(w.top, 0);
  EXPECT_EQ(w.bottom, 1);
  EXPECT_EQ(w.left, 2);
  EXPECT_EQ(w.right, 2);
}

std::string message(const Padding2d& padding, Size2d in, Size2d kernel, Size2d stride, Size2d dilation = {}) {
  try {
    resolve_window("conv2d", padding, in, kernel, stride, dilation);
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Window, ErrorsNameBothSides) {
  EXPECT_EQ(message(Padding2d::valid(), {5, 5}, {7, 7}, {1, 1}),
            "[conv2d] kernel 7x7 does not fit input 5x5 with padding 0");
  EXPECT_EQ(message(Padding2d::sides(0, 1, 0, 0), {5, 5}, {7, 5}, {1, 1}),
            "[conv2d] kernel 7x5 does not fit input 5x5 with padding top 0 bottom 1 left 0 right 0");
  EXPECT_EQ(message(Padding2d::all(1), {5, 5}, {3, 3}, {1, 1}, {4, 1}),
            "[conv2d] kernel 3x3 with dilation 4x1 does not fit input 5x5 with padding 1");
  EXPECT_EQ(message(Padding2d::valid(), {5, 5}, {3, 3}, {0, 1}),
            "[conv2d] stride must be between 1 and 16777216, found 0x1");
  EXPECT_EQ(message(Padding2d::all(-1), {5, 5}, {3, 3}, {1, 1}),
            "[conv2d] padding must be between 0 and 16777216, found -1");
  EXPECT_EQ(message(Padding2d::valid(), {0, 5}, {1, 1}, {1, 1}),
            "[conv2d] input size must be between 1 and 16777216, found 0x5");
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "kernels/resize/resize2d.h"

#include <tuple>

#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"
#include "tests/support/run.h"

namespace chiasm::test {
namespace {

constexpr auto kAlign = ResizeConvention::kAlignCorners;
constexpr auto kHalf = ResizeConvention::kHalfPixel;

// reduction: outputs that read one input, the longest sum of the gradient.
std::vector<OpCase> rows(const std::string& name, Shape x, std::int64_t h, std::int64_t w, double reduction) {
  return {OpCase{.name = "resize_" + name + "_align",
                 .op = make_op(Resize2d{h, w, kAlign}),
                 .inputs = {{x}},
                 .reduction = reduction},
          OpCase{.name = "resize_" + name + "_half",
                 .op = make_op(Resize2d{h, w, kHalf}),
                 .inputs = {{x}},
                 .reduction = reduction}};
}

CHIASM_OP_CASES(Resize2dUp, rows("up", {2, 3, 4, 5}, 7, 6, 16));
CHIASM_OP_CASES(Resize2dDown, rows("down", {2, 8, 7, 3}, 3, 5, 4));
CHIASM_OP_CASES(Resize2dMixed, rows("mixed", {1, 5, 2, 1}, 2, 9, 16));
CHIASM_OP_CASES(Resize2dSame, rows("same", {2, 3, 4, 3}, 3, 4, 1));
CHIASM_OP_CASES(Resize2dFromPixel, rows("from_pixel", {3, 1, 1, 7}, 4, 5, 20));
// Several threads; too large for differences of every element.
CHIASM_OP_CASES(Resize2dLarge, {OpCase{.name = "resize_large",
                                       .op = make_op(Resize2d{33, 31, kAlign}),
                                       .inputs = {{{3, 17, 5, 24}}},
                                       .reduction = 64,
                                       .skip_difference = {0}}});

TEST(Resize2d, AgreesWithPyTorch) {
  const Golden golden("resize2d");
  for (const auto& [name, h, w] : std::vector<std::tuple<std::string, std::int64_t, std::int64_t>>{{"up", 7, 6},
                                                                                                   {"down", 3, 5},
                                                                                                   {"mixed", 2, 9},
                                                                                                   {"from_one", 4, 2},
                                                                                                   {"to_one", 1, 1},
                                                                                                   {"double", 6, 6},
                                                                                                   {"half", 3, 2},
                                                                                                   {"same", 3, 4}}) {
    expect_golden(golden, name + "_align_corners", *make_op(Resize2d{h, w, kAlign}));
    expect_golden(golden, name + "_half_pixel", *make_op(Resize2d{h, w, kHalf}));
  }
}

// spec/convrnn.md section 10.
TEST(Resize2d, AlignCornersVectorsOfTheSpecification) {
  const Tensor x = tensor<double>({1, 2, 2, 1}, {0, 1, 2, 4});
  const Tensor three = tensor<double>({1, 3, 3, 1}, {0, 0.5, 1, 1, 1.75, 2.5, 2, 3, 4});
  const Tensor four =
      tensor<double>({1, 4, 4, 1}, {0, 3, 6, 9, 6, 10, 14, 18, 12, 17, 22, 27, 18, 24, 30, 36});  // ninths
  EXPECT_TRUE(near(apply(*make_op(Resize2d{3, 3, kAlign}), {x}).view(), three.view(), {1e-12, 0.0}));
  Tensor ninths = apply(*make_op(Resize2d{4, 4, kAlign}), {x});
  for (double& value : ninths.values<double>()) value *= 9.0;
  EXPECT_TRUE(near(ninths.view(), four.view(), {1e-12, 0.0}));
}

TEST(Resize2d, RejectsWhatHasNoPixels) {
  const OpPtr op = make_op(Resize2d{0, 3, kAlign});
  EXPECT_THROW(apply(*op, {tensor<float>({1, 1, 1, 1}, {1})}), ShapeError);
  EXPECT_THROW(apply(*make_op(Resize2d{2, 3, kAlign}), {tensor<float>({1, 0, 1, 1}, {})}), ShapeError);
  EXPECT_THROW(apply(*make_op(Resize2d{2, 3, kAlign}), {tensor<float>({1, 1}, {1})}), ShapeError);
}

}  // namespace
}  // namespace chiasm::test

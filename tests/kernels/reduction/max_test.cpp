// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/max.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/golden.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

OpCase over(const std::string& name, Shape shape, std::vector<int> axes, bool keep = false) {
  return {.name = name, .op = make_op(Max{axes, keep}), .inputs = {{shape, separated()}}};
}

CHIASM_OP_CASES(Max, {over("all", {2, 3, 5, 7}, {}), over("inner", {3, 37}, {-1}, true), over("outer", {7, 5}, {0}),
                      over("ends", {3, 5, 41}, {0, 2}), over("middle", {3, 5, 7}, {1}), over("single", {1, 1}, {}),
                      over("long", {1031}, {}), over("tall", {257, 5}, {0}), over("quads", {33, 8}, {1})});

TEST(Max, AgreesWithGolden) {
  const Golden golden("reduction");
  expect_golden(golden, "max_inner", *make_op(Max{{-1}}));
  expect_golden(golden, "max_outer", *make_op(Max{{0, 1}, true}));
}

TEST(Max, TakesTheMaximumOfNegativeNumbers) {
  const OpCase c{.name = "long", .op = make_op(Max{{1}}), .inputs = {{{3, 20011}, uniform(-5.0, -1.0)}}};
  const auto in = make_inputs(c, DType::kFloat32);
  const auto out = run_op(*c.op, views_of(in), CpuStream(2));
  const float* x = in[0].view().as<float>();
  for (int k = 0; k < 3; ++k)
    EXPECT_EQ(value_at(out[0].view(), k), *std::max_element(x + k * 20011, x + (k + 1) * 20011));
}

class MaxByHand : public testing::TestWithParam<DType> {};

// [rows, 3] reduced over rows: column 0 ties, column 1 holds NaN twice, column 2 is plain.
TEST_P(MaxByHand, FirstOfEqualsAndFirstNanTakeTheGradient) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values{1, 5, -3, 4, nan, -2, 4, nan, -1};
  Buffer x(Spec{GetParam(), {3, 3}});
  for (std::size_t i = 0; i < 9; ++i) set_value(x.view(), static_cast<std::int64_t>(i), values[i]);
  const std::vector<View> in{x.view()};
  const OpPtr op = make_op(Max{{0}});
  const auto out = run_op(*op, in, CpuStream(1));
  EXPECT_EQ(value_at(out[0].view(), 0), 4.0);
  EXPECT_TRUE(std::isnan(value_at(out[0].view(), 1)));
  EXPECT_EQ(value_at(out[0].view(), 2), -1.0);
  Buffer dy(Spec{GetParam(), {3}});
  for (int i = 0; i < 3; ++i) set_value(dy.view(), i, i + 1.0);
  const auto dx = gradient_of(*op, 0, in, views_of(out), dy.view(), CpuStream(1));
  const std::vector<double> expected{0, 0, 0, 1, 2, 0, 0, 0, 3};
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(value_at(dx->view(), static_cast<std::int64_t>(i)), expected[i]) << i;
}

INSTANTIATE_TEST_SUITE_P(Types, MaxByHand, testing::Values(DType::kFloat32, DType::kFloat64));

TEST(Max, NeedsAnElement) { EXPECT_THROW((Max{{0}}.infer(std::vector<Spec>{{DType::kFloat32, {0, 3}}})), ShapeError); }

}  // namespace
}  // namespace chiasm::test

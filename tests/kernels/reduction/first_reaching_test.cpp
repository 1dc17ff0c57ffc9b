// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/first_reaching.h"

#include <limits>

#include "tests/support/compare.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

OpCase within(const std::string& name, Shape shape, double threshold) {
  return {.name = name, .op = make_op(FirstReaching{threshold}), .inputs = {{shape, separated()}}};
}

// The first of one is always the first.
OpCase of_one() {
  OpCase made = within("one", {5, 1}, 0.0);
  made.may_be_vacuous = true;
  return made;
}

CHIASM_OP_CASES(FirstReaching, {within("rows", {6, 9}, 0.4), within("largest", {5, 7}, 2.0),
                                within("deep", {3, 2, 8}, 0.0), within("vector", {40}, 0.9),
                                within("long", {3, 1031}, 0.999), within("short", {257, 3}, 0.5), of_one()});

class FirstReachingByHand : public testing::TestWithParam<DType> {};

TEST_P(FirstReachingByHand, FindsTheFirstOrTheLargest) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double values[] = {0.1, 0.5,  0.75, 0.5,   // reaches 0.5 at 1, exactly
                           0.1, 0.25, 0.2,  0.25,  // never reaches: the first of the largest
                           nan, 0.2,  nan,  0.4,   // NaN is passed over
                           nan, nan,  nan,  nan};
  Buffer x(Spec{GetParam(), {4, 4}});
  for (std::int64_t i = 0; i < 16; ++i) set_value(x.view(), i, values[i]);
  const auto out = run_op(*make_op(FirstReaching{0.5}), std::vector<View>{x.view()}, CpuStream(1));
  const double expected[] = {1, 1, 3, 0};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(value_at(out[0].view(), i), expected[i]) << i;
}

INSTANTIATE_TEST_SUITE_P(Types, FirstReachingByHand, testing::Values(DType::kFloat32, DType::kFloat64));

TEST(FirstReaching, NeedsAnElement) {
  EXPECT_THROW(FirstReaching{}.infer(std::vector<Spec>{{DType::kFloat32, {3, 0}}}), ShapeError);
  EXPECT_THROW(FirstReaching{}.infer(std::vector<Spec>{{DType::kFloat32, {}}}), ShapeError);
}

}  // namespace
}  // namespace chiasm::test

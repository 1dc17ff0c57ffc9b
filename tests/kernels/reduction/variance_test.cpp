// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/variance.h"

#include "tests/support/golden.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

// k: a square and a mean per term.
OpCase over(const std::string& name, Shape shape, Variance op, double reduction, Fill fill = uniform()) {
  return {.name = name, .op = make_op(op), .inputs = {{shape, fill}}, .k = 6, .reduction = reduction};
}

OpCase one_element() {
  OpCase c = over("one_element", {1, 3}, Variance{{0}}, 1);
  c.may_be_vacuous = true;  // zero, with a zero gradient
  return c;
}

CHIASM_OP_CASES(Variance,
                {over("all", {2, 3, 5, 7}, Variance{}, 210),
                 over("channels", {2, 3, 5, 7}, Variance{{0, 1, 2}, true}, 30),
                 over("inner", {3, 37}, Variance{{-1}, false, true}, 37),
                 over("ends", {3, 5, 41}, Variance{{0, 2}}, 123), over("long", {2, 1031}, Variance{{1}}, 1031),
                 over("tall", {257, 3}, Variance{{0}}, 257), over("quads", {33, 8}, Variance{{0}}, 33),
                 over("two", {2, 9}, Variance{{0}, false, true}, 2), one_element()});

TEST(Variance, AgreesWithGolden) {
  const Golden golden("reduction");
  expect_golden(golden, "variance_biased", *make_op(Variance{{0, 2}}));
  expect_golden(golden, "variance_unbiased", *make_op(Variance{{1}, true, true}));
}

// float32 with mean 1000 and spread 1 against float64 of the same numbers; sums of squares would lose all but two
// digits.
TEST(Variance, SurvivesALargeMean) {
  for (const auto& [shape, axes] : {std::pair{Shape{3, 4001}, std::vector<int>{1}}, {Shape{500, 17}, {0}}}) {
    const OpCase c{.name = "", .op = make_op(Variance{axes}), .inputs = {{shape, uniform(998.3, 1001.7)}}};
    const auto x64 = make_inputs(c, DType::kFloat64), x32 = make_inputs(c, DType::kFloat32);
    const auto y64 = run_op(*c.op, views_of(x64), CpuStream(1)), y32 = run_op(*c.op, views_of(x32), CpuStream(2));
    EXPECT_TRUE(near(y32[0].view(), y64[0].view(), {2e-6, 0.0})) << to_string(shape);
    EXPECT_NEAR(value_at(y64[0].view(), 0), 3.4 * 3.4 / 12.0, 0.1);
    const auto dx64 = gradient_of(*c.op, 0, views_of(x64), views_of(y64), y64[0].view(), CpuStream(1));
    const auto dx32 = gradient_of(*c.op, 0, views_of(x32), views_of(y32), y32[0].view(), CpuStream(2));
    EXPECT_TRUE(near(dx32->view(), dx64->view(), {4e-6, 0.0})) << to_string(shape);
  }
}

TEST(Variance, NeedsEnoughElements) {
  const auto infer = [](Variance op, Shape shape) { return op.infer(std::vector<Spec>{{DType::kFloat32, shape}}); };
  EXPECT_THROW(infer(Variance{{0}}, {0, 3}), ShapeError);
  EXPECT_THROW(infer(Variance{{0}, false, true}, {1, 3}), ShapeError);
  EXPECT_EQ(infer(Variance{{0}}, {1, 3})[0].shape, (Shape{3}));
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "kernels/linear/linear.h"

#include <gtest/gtest.h>

#include "tests/support/golden.h"
#include "tests/support/op_checks.h"
#include "tests/support/untied.h"

namespace chiasm::test {
namespace {

OpCase row(const std::string& name, const Shape& x, std::int64_t out, double reduction) {
  const Shape weight{x[x.rank() - 1], out};
  return {.name = name,
          .op = make_op(Linear{}),
          .inputs = {{x}, {weight}, {.shape = weight, .same_as = 1}},
          .k = 2.0,  // a product and a sum round, in any order of summation
          .reduction = reduction};
}

OpCase untied(OpCase c) {
  c.name += "_untied";
  c.inputs[2].same_as = -1;
  c.skip_difference = {0};  // on purpose not the derivative; expect_untied and the golden values cover it
  return c;
}

CHIASM_OP_CASES(Linear, {row("linear_odd", {7, 13}, 5, 13), untied(row("linear_odd", {7, 13}, 5, 13)),
                         row("linear_single", {1, 1}, 1, 1), row("linear_one_row", {1, 33}, 17, 33),
                         row("linear_leading", {2, 3, 2, 5}, 9, 12), row("linear_tall", {130, 3}, 1, 130),
                         untied(row("linear_wide", {3, 40}, 64, 64))});

TEST(Linear, Golden) {
  const Golden golden("linear");
  for (const char* name : {"matrix", "image", "single"}) expect_golden(golden, name, *make_op(Linear{}));
}

TEST(Linear, BackwardWeightTakesPartInTheInputGradientOnly) {
  expect_untied(untied(row("odd", {7, 13}, 5, 13)));
  expect_untied(untied(row("large", {70, 65}, 129, 129)));
}

// Large enough that deterministic mode cuts it into several blocks, along rows and along columns.
TEST(Linear, BlocksDoNotDependOnThreads) {
  for (const OpCase& c : {row("tall", {515, 67}, 45, 1), row("wide", {40, 77}, 515, 1)}) {
    const std::vector<Buffer> in = make_inputs(c, DType::kFloat32);
    const std::vector<Buffer> one = run_op(*c.op, views_of(in), CpuStream(1, true));
    const std::vector<Buffer> three = run_op(*c.op, views_of(in), CpuStream(3, true));
    EXPECT_TRUE(bit_equal(three[0].view(), one[0].view())) << c.name;
    const std::vector<Buffer> free = run_op(*c.op, views_of(in), CpuStream(2));
    EXPECT_TRUE(near(free[0].view(), one[0].view(), rounding_tolerance(DType::kFloat32, 2.0, 77))) << c.name;
  }
}

std::string message(const Spec& x, const Spec& weight, const Spec& backward) {
  try {
    Linear{}.infer(std::vector<Spec>{x, weight, backward});
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Linear, ErrorsNameBothSides) {
  const auto f = [](const Shape& shape) { return Spec{DType::kFloat32, shape}; };
  EXPECT_EQ(message(f({2, 5}), f({4, 3}), f({4, 3})), "[linear] x [2, 5] has 5 features, weight [4, 3] takes 4");
  EXPECT_EQ(message(f({5}), f({5, 3}), f({5, 3})), "[linear] x must have at least 2 axes, found shape [5]");
  EXPECT_EQ(message(f({2, 5}), f({5, 3}), f({3, 5})), "[linear] weight_backward must have shape [5, 3], found [3, 5]");
  EXPECT_EQ(message(f({2, 5}), f({5}), f({5})), "[linear] weight must have 2 axes, found shape [5]");
  EXPECT_EQ(message(f({2, 0}), f({0, 3}), f({0, 3})),
            "[linear] weight must have at least one element, found shape [0, 3]");
  EXPECT_EQ(message(f({2, 5}), Spec{DType::kFloat64, {5, 3}}, f({5, 3})),
            "[linear] weight must be float32, found float64");
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/map.h"

#include <cmath>
#include <functional>

#include "tests/support/compare.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

// Rows of a one-input function: an image, an odd length longer than one vector, one element.
template <class F>
std::vector<OpCase> unary(F function, Fill fill, double k = 4.0) {
  const OpPtr op = make_op(Map<F>{function});
  const std::string name(F::kName);
  return {OpCase{.name = name + "_image", .op = op, .inputs = {{{2, 3, 5, 7}, fill}}, .k = k},
          OpCase{.name = name + "_odd", .op = op, .inputs = {{{37}, fill}}, .k = k},
          OpCase{.name = name + "_single", .op = op, .inputs = {{{1, 1}, fill}}, .k = k},
          OpCase{.name = name + "_empty", .op = op, .inputs = {{{3, 0}, fill}}, .may_be_vacuous = true}};
}

// Rows of a two-input function: equal shapes, a bias, a batch of one, both sides broadcast, scalars.
template <class F>
std::vector<OpCase> binary(F function, Fill a, Fill b) {
  const OpPtr op = make_op(Map<F>{function});
  const std::string name(F::kName);
  return {OpCase{.name = name + "_same", .op = op, .inputs = {{{2, 3, 5, 7}, a}, {{2, 3, 5, 7}, b}}},
          OpCase{.name = name + "_bias", .op = op, .inputs = {{{2, 3, 5, 7}, a}, {{7}, b}}, .reduction = 30},
          OpCase{.name = name + "_batch_one", .op = op, .inputs = {{{1, 3, 5}, a}, {{4, 3, 5}, b}}, .reduction = 4},
          OpCase{.name = name + "_both", .op = op, .inputs = {{{3, 1, 4}, a}, {{5, 1}, b}}, .reduction = 12},
          OpCase{.name = name + "_scalar", .op = op, .inputs = {{{}, a}, {{19}, b}}, .reduction = 19},
          // Four channels at a time, a tail after them, and a repeat that begins anywhere.
          OpCase{.name = name + "_channels", .op = op, .inputs = {{{3, 5, 8}, a}, {{1, 8}, b}}, .reduction = 15},
          OpCase{.name = name + "_images", .op = op, .inputs = {{{2, 3, 5, 4}, a}, {{2, 1, 1, 4}, b}}, .reduction = 15},
          OpCase{.name = name + "_tail", .op = op, .inputs = {{{257}, a}, {{257}, b}}},
          OpCase{.name = name + "_empty", .op = op, .inputs = {{{0, 7}, a}, {{7}, b}}, .may_be_vacuous = true}};
}

// k: exp, sigmoid and tanh are bounded at 2 to 3 ulp (approximations.h), and their derivatives use the value once or twice.
CHIASM_OP_CASES(Add, binary(Add{}, uniform(), uniform()));
CHIASM_OP_CASES(Subtract, binary(Subtract{}, uniform(), uniform()));
CHIASM_OP_CASES(Multiply, binary(Multiply{}, uniform(), uniform()));
CHIASM_OP_CASES(Divide, binary(Divide{}, uniform(), uniform(0.5, 2.0)));
CHIASM_OP_CASES(Negate, unary(Negate{}, uniform()));
CHIASM_OP_CASES(Affine, unary(Affine{-0.7, 1.3}, uniform()));
CHIASM_OP_CASES(Exp, unary(Exp{}, uniform(-3.0, 3.0)));
CHIASM_OP_CASES(Log, unary(Log{}, uniform(0.2, 4.0)));
CHIASM_OP_CASES(Square, unary(Square{}, uniform()));
CHIASM_OP_CASES(Sqrt, unary(Sqrt{}, uniform(0.2, 4.0)));
CHIASM_OP_CASES(Abs, unary(Abs{}, separated()));
CHIASM_OP_CASES(Sign, unary(Sign{}, separated()));
CHIASM_OP_CASES(Sigmoid, unary(Sigmoid{}, uniform(-6.0, 6.0), 8.0));
CHIASM_OP_CASES(Tanh, unary(Tanh{}, uniform(-3.0, 3.0), 8.0));
CHIASM_OP_CASES(Relu, unary(Relu{}, separated(-0.5, 1.0)));
CHIASM_OP_CASES(Elu, unary(Elu{}, separated(-2.0, 2.0), 8.0));
CHIASM_OP_CASES(Softplus, unary(Softplus{}, uniform(-4.0, 4.0), 8.0));
CHIASM_OP_CASES(Clip, unary(Clip{-0.613, 0.713}, separated(-1.0, 1.0)));
CHIASM_OP_CASES(Select,
                {OpCase{.name = "select_same",
                        .op = make_op(Map<Select>{}),
                        .inputs = {{{3, 9}, mask()}, {{3, 9}, uniform()}, {{3, 9}, uniform()}}}});

}  // namespace
}  // namespace chiasm::test

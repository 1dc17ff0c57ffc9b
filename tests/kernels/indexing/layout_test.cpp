// SPDX-License-Identifier: Apache-2.0
// Ops that only move elements or make constants.
#include <limits>
#include <numeric>

#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/fill.h"
#include "kernels/indexing/broadcast.h"
#include "kernels/indexing/reshape.h"
#include "tests/support/compare.h"
#include "tests/support/op_checks.h"
#include "tests/support/run.h"

namespace chiasm::test {
namespace {

// k = 0: nothing is computed, so float32 holds the same numbers as float64. Gradients of broadcast are sums.
CHIASM_OP_CASES(Reshape,
                {OpCase{
                     .name = "reshape_flatten", .op = make_op(Reshape{{2, 105}}), .inputs = {{{2, 3, 5, 7}}}, .k = 0},
                 OpCase{.name = "reshape_regroup", .op = make_op(Reshape{{5, 1, 6}}), .inputs = {{{3, 10}}}, .k = 0},
                 OpCase{.name = "reshape_scalar", .op = make_op(Reshape{Shape{}}), .inputs = {{{1, 1}}}, .k = 0}});

CHIASM_OP_CASES(
    Broadcast,
    {OpCase{.name = "broadcast_bias", .op = make_op(Broadcast{{2, 3, 5, 7}}), .inputs = {{{7}}}, .reduction = 30},
     OpCase{.name = "broadcast_inner", .op = make_op(Broadcast{{4, 3, 9}}), .inputs = {{{4, 3, 1}}}, .reduction = 9},
     OpCase{.name = "broadcast_middle", .op = make_op(Broadcast{{4, 3, 5}}), .inputs = {{{4, 1, 5}}}, .reduction = 3},
     OpCase{.name = "broadcast_scalar",
            .op = make_op(Broadcast{{2, 17}}),
            .inputs = {{{}}},
            .reduction = 34,
            .may_be_vacuous = true}});

// The harness differentiates float64 outputs; conversions to other types are tested below.
CHIASM_OP_CASES(Cast,
                {OpCase{.name = "cast_image", .op = make_op(Cast{DType::kFloat64}), .inputs = {{{2, 3, 5, 7}}}},
                 OpCase{.name = "cast_bytes", .op = make_op(Cast{DType::kFloat64}), .inputs = {{{5, 7}, bytes()}}}});

CHIASM_OP_CASES(Fill, {OpCase{.name = "fill_odd",
                              .op = make_op(chiasm::Fill{Spec{DType::kFloat32, {33}}, 0.75}),
                              .inputs = {},
                              .may_be_vacuous = true},
                       OpCase{.name = "fill_image",
                              .op = make_op(chiasm::Fill{Spec{DType::kFloat64, {2, 3, 5}}, 0.75}),
                              .inputs = {},
                              .may_be_vacuous = true}});

TEST(Reshape, KeepsRowMajorOrder) {
  std::vector<std::int32_t> values(12);
  std::iota(values.begin(), values.end(), 0);
  const Tensor y = apply(*make_op(Reshape{{4, 3}}), {tensor<std::int32_t>({2, 6}, values)});
  EXPECT_EQ(y.shape(), (Shape{4, 3}));
  EXPECT_EQ(list<std::int32_t>(y), values);
  EXPECT_TRUE(make_op(Reshape{{4, 3}})->is_view());
}

TEST(Reshape, RejectsAnotherElementCount) {
  EXPECT_THROW(apply(*make_op(Reshape{{5}}), {tensor<float>({2, 2}, {1, 2, 3, 4})}), ShapeError);
}

TEST(Broadcast, RepeatsByNumPysRule) {
  const Tensor y = apply(*make_op(Broadcast{{2, 3, 2}}), {tensor<double>({3, 1}, {1, 2, 3})});
  EXPECT_EQ(list<double>(y), (std::vector<double>{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3}));
  EXPECT_THROW(apply(*make_op(Broadcast{{2, 3}}), {tensor<double>({2, 1, 3}, {1, 2, 3, 4, 5, 6})}), ShapeError);
}

TEST(Fill, MakesAConstantOfAnyType) {
  EXPECT_EQ(list<float>(apply(*make_op(chiasm::Fill{Spec{DType::kFloat32, {2}}, 0.1}), {})),
            (std::vector<float>{0.1f, 0.1f}));
  EXPECT_EQ(list<std::uint8_t>(apply(*make_op(chiasm::Fill{Spec{DType::kUInt8, {3}}, 255}), {})),
            (std::vector<std::uint8_t>{255, 255, 255}));
  EXPECT_THROW(apply(*make_op(chiasm::Fill{Spec{DType::kUInt8, {3}}, 256}), {}), InputError);
  EXPECT_THROW(apply(*make_op(chiasm::Fill{Spec{DType::kInt32, {3}}, 0.5}), {}), InputError);
}

TEST(Cast, RoundsSaturatesAndTruncates) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tensor x = tensor<float>({8}, {1.9f, -1.9f, 300.0f, -inf, inf, nan, 3e9f, -0.5f});
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max(),
                         kMin = std::numeric_limits<std::int32_t>::min();
  EXPECT_EQ(list<std::int32_t>(apply(*make_op(Cast{DType::kInt32}), {x})),
            (std::vector<std::int32_t>{1, -1, 300, kMin, kMax, 0, kMax, 0}));
  EXPECT_EQ(list<std::uint8_t>(apply(*make_op(Cast{DType::kUInt8}), {x})),
            (std::vector<std::uint8_t>{1, 0, 255, 0, 255, 0, 255, 0}));
  EXPECT_EQ(list<float>(apply(*make_op(Cast{DType::kFloat32}), {tensor<double>({2}, {0.1, 1.0 + 0x1p-25})})),
            (std::vector<float>{0.1f, 1.0f}));
  EXPECT_EQ(list<std::uint8_t>(apply(*make_op(Cast{DType::kUInt8}), {tensor<std::int32_t>({3}, {-4, 77, 1000})})),
            (std::vector<std::uint8_t>{0, 77, 255}));
}

TEST(Cast, GradientHasTheTypeOfTheInput) {
  const OpPtr op = make_op(Cast{DType::kFloat32});
  const Spec in{DType::kFloat64, {2}}, out{DType::kFloat32, {2}};
  const OpPtr gradient = op->gradient_op(0, std::span(&in, 1), std::span(&out, 1));
  EXPECT_EQ(list<double>(apply(*gradient, {tensor<float>({2}, {0.5f, -3.0f})})), (std::vector<double>{0.5, -3.0}));
  EXPECT_EQ(make_op(Cast{DType::kInt32})->gradient(0).kind, GradientRule::Kind::kNone);
}

}  // namespace
}  // namespace chiasm::test

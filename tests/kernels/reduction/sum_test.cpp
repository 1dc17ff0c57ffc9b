// SPDX-License-Identifier: Apache-2.0
#include "kernels/reduction/sum.h"

#include "kernels/reduction/mean.h"
#include "kernels/reduction/sum_to.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

template <class Op>
OpCase over(const std::string& name, Shape shape, std::vector<int> axes, bool keep, double reduction) {
  return {.name = name, .op = make_op(Op{axes, keep}), .inputs = {{shape}}, .reduction = reduction};
}

// Rows kept and rows reduced, innermost and not, several groups, longer than a task's columns and a folded block,
// single elements. k: one rounding per term and one for the scale.
template <class Op>
std::vector<OpCase> rows() {
  return {over<Op>("all", {2, 3, 5, 7}, {}, false, 210),
          over<Op>("bias", {2, 3, 5, 7}, {0, 1, 2}, false, 30),
          over<Op>("batch", {4, 3, 5}, {0}, true, 4),
          over<Op>("inner", {3, 37}, {-1}, false, 37),
          over<Op>("middle", {3, 5, 7}, {1}, true, 5),
          over<Op>("ends", {3, 5, 41}, {0, 2}, false, 123),
          over<Op>("twice", {2, 3, 2, 3, 2}, {1, 3}, false, 9),
          over<Op>("wide", {3, 1031}, {0}, false, 3),
          over<Op>("long", {9001}, {0}, true, 9001),
          over<Op>("single", {1, 1}, {}, false, 1),
          over<Op>("one_kept", {6, 1}, {0}, false, 6),
          over<Op>("threes", {257, 3}, {1}, false, 3),
          over<Op>("quads", {33, 8}, {1}, false, 8),
          over<Op>("tall", {1031, 4}, {0}, false, 1031)};
}

CHIASM_OP_CASES(Sum, rows<Sum>());
CHIASM_OP_CASES(Mean, rows<Mean>());

OpCase to(const std::string& name, Shape from, Shape shape, double reduction) {
  return {.name = name, .op = make_op(SumTo{shape}), .inputs = {{from}}, .reduction = reduction};
}

CHIASM_OP_CASES(SumTo, {to("bias", {2, 3, 5, 7}, {7}, 30), to("batch", {4, 3, 5, 2}, {1, 3, 5, 2}, 4),
                        to("channels", {2, 3, 5, 7}, {2, 3, 5, 1}, 7), to("both", {3, 5, 4}, {5, 1}, 12),
                        to("nothing", {3, 5}, {3, 5}, 1), to("scalar", {19}, {}, 19),
                        to("rows", {3, 1031}, {3, 1}, 1031), to("odd_bias", {257, 33}, {33}, 257)});

TEST(Sum, AgreesWithGolden) {
  const Golden golden("reduction");
  expect_golden(golden, "sum_all", *make_op(Sum{}));
  expect_golden(golden, "sum_middle", *make_op(Sum{{1, -1}}));
  expect_golden(golden, "sum_keep", *make_op(Sum{{0, 2}, true}));
  expect_golden(golden, "mean_middle", *make_op(Mean{{1, 2}}));
  expect_golden(golden, "sum_to", *make_op(SumTo{{4, 1, 2}}));
}

std::vector<Spec> infer(const OpPtr& op, Shape shape) { return op->infer(std::vector<Spec>{{DType::kFloat32, shape}}); }

TEST(Sum, InfersShapes) {
  EXPECT_EQ(infer(make_op(Sum{{1, -1}}), {2, 3, 4})[0].shape, (Shape{2}));
  EXPECT_EQ(infer(make_op(Sum{{-2}, true}), {2, 3, 4})[0].shape, (Shape{2, 1, 4}));
  EXPECT_EQ(infer(make_op(Sum{}), {2, 3})[0].shape, Shape{});
  EXPECT_THROW(infer(make_op(Sum{{2}}), {2, 3}), ShapeError);
  EXPECT_THROW(infer(make_op(Sum{{1, -1}}), {2, 3}), ShapeError);
  EXPECT_THROW(infer(make_op(Mean{{0}}), {0, 3}), ShapeError);
  EXPECT_THROW(infer(make_op(SumTo{{2}}), {4, 3}), ShapeError);
  EXPECT_THROW(infer(make_op(SumTo{{1, 1, 3}}), {4, 3}), ShapeError);
}

TEST(Sum, OfNothingIsZero) {
  Buffer x(Spec{DType::kFloat32, {0, 3}});
  const std::vector<View> in{x.view()};
  const auto out = run_op(*make_op(Sum{{0}}), in, CpuStream(1));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(value_at(out[0].view(), i), 0.0);
}

// The error of a running float sum of a million equal terms would be about 1e-3; that of pieces is far smaller.
TEST(Sum, LongSumsKeepTheirDigits) {
  const std::int64_t count = 1 << 20;
  for (const Shape& shape : {Shape{count}, Shape{count / 4, 4}}) {
    Buffer x(Spec{DType::kFloat32, shape});
    for (std::int64_t i = 0; i < count; ++i) x.view().as<float>()[i] = 0.1f;
    const std::vector<View> in{x.view()};
    const auto out = run_op(*make_op(Sum{{0}}), in, CpuStream(2));
    const double exact = 0.1f * static_cast<double>(shape[0]);
    EXPECT_NEAR(value_at(out[0].view(), 0), exact, 1e-5 * exact) << to_string(shape);
  }
}

// Too large for differences: sums of several pieces, in each form, against float64.
TEST(Sum, PiecesAddUp) {
  const std::vector<std::pair<Shape, std::vector<int>>> rows{
      {{70, 31, 17}, {0, 1}}, {{40001}, {0}}, {{4100, 64, 2}, {0, 2}}, {{5000, 16, 32}, {0}}, {{2, 3, 20011}, {0, 2}}};
  for (const auto& [shape, axes] : rows) {
    const OpCase c{.name = "pieces", .op = make_op(Sum{axes}), .inputs = {{shape}}};
    const auto exact = run_op(*c.op, views_of(make_inputs(c, DType::kFloat64)), CpuStream(1));
    const auto found = run_op(*c.op, views_of(make_inputs(c, DType::kFloat32)), CpuStream(2));
    const auto terms = static_cast<double>(shape.elements() / exact[0].view().elements());
    EXPECT_TRUE(near(found[0].view(), exact[0].view(), rounding_tolerance(DType::kFloat32, 1.0, terms)))
        << to_string(shape);
    EXPECT_TRUE(not_vacuous(exact[0].view()));
  }
}

TEST(Sum, BitsDoNotDependOnThreads) {
  Buffer x(Spec{DType::kFloat32, {57, 43, 41}});
  for (std::int64_t i = 0; i < x.view().elements(); ++i) x.view().as<float>()[i] = static_cast<float>(i % 1009) * 0.37f;
  const std::vector<View> in{x.view()};
  for (const std::vector<int>& axes : {std::vector<int>{0, 1}, {0, 2}, {1, 2}, {0, 1, 2}, {0}}) {
    const auto one = run_op(*make_op(Sum{axes}), in, CpuStream(1));
    for (int threads : {2, 3, 7}) {
      const auto more = run_op(*make_op(Sum{axes}), in, CpuStream(threads));
      EXPECT_TRUE(bit_equal(more[0].view(), one[0].view())) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace chiasm::test

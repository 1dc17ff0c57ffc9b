// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax/softmax.h"

#include <cmath>
#include <limits>

#include "kernels/softmax/log_softmax.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

// k: exp is good to 2 ulp, of an argument that rounding has moved by |x| epsilon with |x| up to 8; its relative error
// is then about 10 epsilon.
template <class Op>
std::vector<OpCase> rows() {
  const auto row = [](const std::string& name, Shape shape, double length) {
    OpCase made{
        .name = name, .op = make_op(Op{}), .inputs = {{shape, uniform(-4.0, 4.0)}}, .k = 12, .reduction = length};
    // The loss of the differences sums up to 2000 logarithms near 8: it is rounded by 2^-53 of that sum a few times,
    // and divided by 2h.
    if (shape.elements() > 500) made.difference_tolerance = 3e-6;
    return made;
  };
  OpCase single = row("single", {1, 1}, 1);
  single.may_be_vacuous = true;  // 1, or 0, whatever the input
  return {row("logits", {3, 10}, 10),       row("odd", {37}, 37),
          row("deep", {2, 2, 65}, 65),      row("threes", {33, 3}, 3),
          row("quads", {5, 128}, 128),      row("two_packs", {3, 257}, 257),
          row("four_packs", {2, 500}, 500), row("eight_packs", {2, 1001}, 1001),
          row("long", {2, 1031}, 1031),     single};
}

CHIASM_OP_CASES(Softmax, rows<Softmax>());
CHIASM_OP_CASES(LogSoftmax, rows<LogSoftmax>());

TEST(Softmax, AgreesWithGolden) {
  const Golden golden("softmax");
  for (const char* name : {"plain", "shifted", "deep"}) {
    expect_golden(golden, std::string("softmax_") + name, *make_op(Softmax{}), 1e-11);
    expect_golden(golden, std::string("log_softmax_") + name, *make_op(LogSoftmax{}), 1e-11);
  }
}

template <class Op>
Buffer float_row(std::vector<float> values) {
  Buffer x(Spec{DType::kFloat32, {static_cast<std::int64_t>(values.size())}});
  std::copy(values.begin(), values.end(), x.view().template as<float>());
  const std::vector<View> in{x.view()};
  return std::move(run_op(*make_op(Op{}), in, CpuStream(1))[0]);
}

TEST(Softmax, SurvivesLargeLogits) {
  const Buffer y = float_row<Softmax>({3e38f, -3e38f, 3e38f});
  EXPECT_NEAR(value_at(y.view(), 0), 0.5, 1e-6);
  EXPECT_NEAR(value_at(y.view(), 1), 0.0, 1e-30);
  const Buffer l = float_row<LogSoftmax>({1000.0f, 0.0f});
  EXPECT_EQ(value_at(l.view(), 0), 0.0);
  EXPECT_EQ(value_at(l.view(), 1), -1000.0);
}

TEST(Softmax, NanSpoilsItsRow) {
  std::vector<float> row(70, 0.25f);
  for (std::size_t at : {std::size_t{0}, std::size_t{33}, std::size_t{69}}) {
    std::vector<float> bad = row;
    bad[at] = std::numeric_limits<float>::quiet_NaN();
    const Buffer y = float_row<Softmax>(bad), l = float_row<LogSoftmax>(bad);
    for (int i = 0; i < 70; ++i) {
      EXPECT_TRUE(std::isnan(value_at(y.view(), i)));
      EXPECT_TRUE(std::isnan(value_at(l.view(), i)));
    }
  }
}

TEST(Softmax, RejectsEmptyRows) {
  EXPECT_THROW(Softmax{}.infer(std::vector<Spec>{{DType::kFloat32, {}}}), ShapeError);
  EXPECT_THROW(LogSoftmax{}.infer(std::vector<Spec>{{DType::kFloat32, {3, 0}}}), ShapeError);
}

}  // namespace
}  // namespace chiasm::test

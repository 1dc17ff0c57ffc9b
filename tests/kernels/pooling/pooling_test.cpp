// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "kernels/pooling/adaptive_average_pool2d.h"
#include "kernels/pooling/average_pool2d.h"
#include "kernels/pooling/global_average_pool.h"
#include "kernels/pooling/max_pool2d.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Padding2d ceiling(Padding2d padding) {
  padding.ceil_mode = true;
  return padding;
}

template <class Op>
OpCase row(const std::string& name, Op op, Shape image, double reduction) {
  return {.name = name, .op = make_op(op), .inputs = {{image, separated()}}, .reduction = reduction};
}

// Separated values lie far enough apart that a difference step changes no maximum. "crowded" has more pixels than
// windows see and more channels than a task of backward.
template <class Op>
std::vector<OpCase> rows() {
  return {row("same", Op{}, {2, 5, 7, 3}, 4),
          row("overlap", Op{{3, 3}, {2, 2}, Padding2d::same()}, {2, 6, 5, 5}, 9),
          row("ceil", Op{{3, 3}, {2, 2}, ceiling(Padding2d::valid())}, {1, 6, 8, 3}, 9),
          row("even", Op{{4, 2}, {1, 3}, Padding2d::sides(1, 2, 1, 0)}, {1, 5, 7, 4}, 8),
          row("gaps", Op{{1, 2}, {3, 3}, Padding2d::valid()}, {1, 8, 9, 17}, 2),
          row("crowded", Op{{2, 2}, {2, 2}, Padding2d::valid()}, {1, 3, 4, 131}, 4),
          row("wide", Op{}, {2, 3, 5, 37}, 4),
          row("quads", Op{{3, 3}, {2, 2}, Padding2d::all(1)}, {2, 7, 6, 8}, 9),
          row("single", Op{}, {1, 1, 1, 1}, 1)};
}

CHIASM_OP_CASES(MaxPool2d, rows<MaxPool2d>());
CHIASM_OP_CASES(AveragePool2d, rows<AveragePool2d>());
CHIASM_OP_CASES(AveragePool2dCounted,
                {row("counted_same", AveragePool2d{.count_include_pad = true}, {2, 5, 7, 3}, 4),
                 row("counted_ceil", AveragePool2d{{3, 3}, {2, 2}, ceiling(Padding2d::all(1)), true}, {1, 6, 8, 3},
                     9)});
CHIASM_OP_CASES(GlobalAveragePool, {row("image", GlobalAveragePool{}, {2, 3, 5, 7}, 15),
                                    row("one_channel", GlobalAveragePool{}, {3, 4, 5, 1}, 20),
                                    row("single", GlobalAveragePool{}, {1, 1, 1, 1}, 1)});

// Boxes that divide the image, overlap, repeat pixels, and are one.
CHIASM_OP_CASES(AdaptiveAveragePool2d, {row("divides", AdaptiveAveragePool2d{2, 3}, {2, 4, 6, 3}, 6),
                                        row("overlaps", AdaptiveAveragePool2d{3, 2}, {2, 5, 7, 37}, 12),
                                        row("quads", AdaptiveAveragePool2d{3, 3}, {2, 7, 5, 8}, 9),
                                        row("one_box", AdaptiveAveragePool2d{1, 1}, {3, 9, 11, 5}, 99),
                                        row("enlarges", AdaptiveAveragePool2d{4, 5}, {1, 3, 2, 3}, 10),
                                        row("single", AdaptiveAveragePool2d{}, {1, 1, 1, 1}, 1)});

TEST(Pooling, AgreesWithGolden) {
  const Golden golden("pooling");
  const Padding2d valid = Padding2d::valid(), same = Padding2d::same(), one = Padding2d::all(1);
  expect_golden(golden, "max_valid", *make_op(MaxPool2d{{2, 3}, {2, 1}, valid}));
  expect_golden(golden, "max_padded", *make_op(MaxPool2d{{3, 3}, {2, 2}, one}));
  expect_golden(golden, "max_ceil", *make_op(MaxPool2d{{3, 3}, {2, 2}, ceiling(valid)}));
  expect_golden(golden, "max_same", *make_op(MaxPool2d{}));
  expect_golden(golden, "max_same_wide", *make_op(MaxPool2d{{3, 4}, {2, 1}, same}));
  expect_golden(golden, "average_valid", *make_op(AveragePool2d{{2, 3}, {2, 1}, valid}));
  expect_golden(golden, "average_padded", *make_op(AveragePool2d{{3, 3}, {2, 2}, one}));
  expect_golden(golden, "average_padded_counted", *make_op(AveragePool2d{{3, 3}, {2, 2}, one, true}));
  expect_golden(golden, "average_ceil_counted", *make_op(AveragePool2d{{3, 3}, {2, 2}, ceiling(one), true}));
  expect_golden(golden, "average_ceil", *make_op(AveragePool2d{{3, 3}, {2, 2}, ceiling(valid)}));
  expect_golden(golden, "average_same", *make_op(AveragePool2d{{3, 2}, {2, 2}, same}));
  expect_golden(golden, "average_same_counted", *make_op(AveragePool2d{{3, 2}, {2, 2}, same, true}));
  expect_golden(golden, "adaptive", *make_op(AdaptiveAveragePool2d{3, 2}));
  expect_golden(golden, "adaptive_larger", *make_op(AdaptiveAveragePool2d{4, 5}));
  expect_golden(golden, "global", *make_op(GlobalAveragePool{}));
}

struct Pooled {
  std::vector<double> y;
  std::vector<double> dx;  // of dy = 1, 2, 3, ...
};

Pooled pool(const OpPtr& op, DType type, Shape shape, const std::vector<float>& values) {
  Buffer x(Spec{type, shape});
  for (std::size_t i = 0; i < values.size(); ++i) set_value(x.view(), static_cast<std::int64_t>(i), values[i]);
  const std::vector<View> in{x.view()};
  const auto out = run_op(*op, in, CpuStream(1));
  Buffer dy(out[0].view().spec());
  Pooled pooled;
  for (std::int64_t i = 0; i < dy.view().elements(); ++i) {
    set_value(dy.view(), i, static_cast<double>(i + 1));
    pooled.y.push_back(value_at(out[0].view(), i));
  }
  const auto dx = gradient_of(*op, 0, in, views_of(out), dy.view(), CpuStream(1));
  for (std::int64_t i = 0; i < x.view().elements(); ++i) pooled.dx.push_back(value_at(dx->view(), i));
  return pooled;
}

class PoolingByHand : public testing::TestWithParam<DType> {};

TEST_P(PoolingByHand, PaddingNeverWinsTheMaximum) {
  const Pooled p = pool(make_op(MaxPool2d{}), GetParam(), {1, 3, 3, 1}, {-1, -2, -3, -4, -5, -6, -7, -8, -9});
  EXPECT_EQ(p.y, (std::vector<double>{-1, -3, -7, -9}));
  EXPECT_EQ(p.dx, (std::vector<double>{1, 0, 2, 0, 0, 0, 3, 0, 4}));
}

TEST_P(PoolingByHand, TiesGoToTheFirstInTheWindow) {
  const Pooled p =
      pool(make_op(MaxPool2d{{2, 2}, {1, 1}, Padding2d::valid()}), GetParam(), {1, 2, 3, 1}, {0, 5, 5, 5, 5, 1});
  EXPECT_EQ(p.y, (std::vector<double>{5, 5}));
  // Both windows hold the pixel at row 0, column 1 first.
  EXPECT_EQ(p.dx, (std::vector<double>{0, 3, 0, 0, 0, 0}));
}

// Every window of up to 2 x 2 pixels with values 0, 1 and NaN: the first NaN takes the gradient, else the first 1, else
// the first 0.
TEST_P(PoolingByHand, EveryTieGoesToTheFirst) {
  for (const Shape& shape : {Shape{1, 2, 2, 1}, Shape{1, 1, 2, 1}, Shape{1, 2, 1, 1}, Shape{1, 1, 1, 1}}) {
    const auto pixels = static_cast<std::size_t>(shape.elements());
    const int combinations = pixels == 4 ? 81 : pixels == 2 ? 9 : 3;
    for (int k = 0; k < combinations; ++k) {
      std::vector<float> x;
      for (int rest = k; x.size() < pixels; rest /= 3) x.push_back(rest % 3 == 2 ? kNan : static_cast<float>(rest % 3));
      std::size_t first = 0;
      for (std::size_t i = 1; i < pixels; ++i) {
        if (!std::isnan(x[first]) && (std::isnan(x[i]) || x[i] > x[first])) first = i;
      }
      std::vector<double> expected(pixels, 0.0);
      expected[first] = 1.0;
      EXPECT_EQ(pool(make_op(MaxPool2d{}), GetParam(), shape, x).dx, expected) << to_string(shape) << " " << k;
    }
  }
}

TEST_P(PoolingByHand, NanComesOutAndTakesTheGradient) {
  for (std::size_t at = 0; at < 4; ++at) {
    std::vector<float> x{1, 2, 3, 4};
    x[at] = kNan;
    const Pooled largest = pool(make_op(MaxPool2d{}), GetParam(), {1, 2, 2, 1}, x);
    EXPECT_TRUE(std::isnan(largest.y[0])) << at;
    std::vector<double> expected(4, 0.0);
    expected[at] = 1.0;
    EXPECT_EQ(largest.dx, expected);
    EXPECT_TRUE(std::isnan(pool(make_op(AveragePool2d{}), GetParam(), {1, 2, 2, 1}, x).y[0])) << at;
  }
}

TEST_P(PoolingByHand, AverageLeavesPaddingOut) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(pool(make_op(AveragePool2d{}), GetParam(), {1, 3, 3, 1}, x).y, (std::vector<double>{3, 4.5, 7.5, 9}));
  EXPECT_EQ(pool(make_op(AveragePool2d{.count_include_pad = true}), GetParam(), {1, 3, 3, 1}, x).y,
            (std::vector<double>{3, 2.25, 3.75, 2.25}));
}

INSTANTIATE_TEST_SUITE_P(Types, PoolingByHand, testing::Values(DType::kFloat32, DType::kFloat64));

TEST(Pooling, RejectsWhatDoesNotFit) {
  const auto infer = [](const OpPtr& op, Shape shape) {
    return op->infer(std::vector<Spec>{{DType::kFloat32, shape}});
  };
  EXPECT_THROW(infer(make_op(MaxPool2d{}), {2, 3, 4}), ShapeError);
  EXPECT_THROW(infer(make_op(MaxPool2d{{3, 3}, {1, 1}, Padding2d::valid()}), {1, 2, 5, 1}), ShapeError);
  EXPECT_THROW(infer(make_op(MaxPool2d{{2, 2}, {2, 2}, Padding2d::all(2)}), {1, 5, 5, 1}), ShapeError);
  EXPECT_THROW(infer(make_op(AveragePool2d{{2, 3}, {2, 2}, Padding2d::sides(0, 2, 0, 0)}), {1, 5, 5, 1}), ShapeError);
  EXPECT_THROW(infer(make_op(GlobalAveragePool{}), {1, 0, 5, 1}), ShapeError);
  EXPECT_EQ(infer(make_op(MaxPool2d{{3, 3}, {2, 2}, ceiling(Padding2d::valid())}), {1, 111, 110, 96})[0].shape,
            (Shape{1, 55, 55, 96}));
}

}  // namespace
}  // namespace chiasm::test

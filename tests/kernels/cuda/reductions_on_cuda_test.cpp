// SPDX-License-Identifier: Apache-2.0
// What rows of an op test do not reach: reductions of many pieces, the size of their errors, and values at the edge.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "kernels/loss/cross_entropy.h"
#include "kernels/loss/sigmoid_cross_entropy.h"
#include "kernels/normalization/batch_norm.h"
#include "kernels/normalization/layer_norm.h"
#include "kernels/reduction/max.h"
#include "kernels/reduction/sum.h"
#include "kernels/reduction/variance.h"
#include "kernels/softmax/log_softmax.h"
#include "kernels/softmax/softmax.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"

namespace chiasm::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Buffer floats(const Shape& shape, const std::vector<float>& values) {
  Buffer x(Spec{DType::kFloat32, shape});
  std::copy(values.begin(), values.end(), x.view().as<float>());
  return x;
}

Buffer run_one(const OpPtr& op, const std::vector<View>& in, bool misaligned = false) {
  CudaStream stream;
  return std::move(run_op_on_cuda(*op, in, stream, misaligned)[0]);
}

RunOp on(CudaStream& stream) {
  return [&](const AnyOp& op, std::span<const View> in) { return run_op_on_cuda(op, in, stream); };
}

// Rows kept and rows reduced, with several groups of axes and many pieces. The bits do not depend on alignment: the
// same threads add the same elements.
TEST(CudaReductions, PiecesAddUp) {
  CHIASM_NEEDS_CUDA();
  const std::vector<std::pair<Shape, std::vector<int>>> rows{
      {{70, 31, 17}, {0, 1}},     {{9001}, {0}},   {{1300, 16, 2}, {0, 2}}, {{700, 16, 4}, {0}}, {{2, 3, 5011}, {0, 2}},
      {{3, 2, 3, 33, 5}, {1, 3}}, {{6000, 3}, {0}}};
  for (const auto& [shape, axes] : rows) {
    const OpCase c{.name = "pieces", .op = make_op(Sum{axes}), .inputs = {{shape}}};
    const auto in = make_inputs(c, DType::kFloat32);
    const auto exact = run_op(*c.op, views_of(make_inputs(c, DType::kFloat64)), CpuStream(1));
    const Buffer found = run_one(c.op, views_of(in)), misaligned = run_one(c.op, views_of(in), true);
    const auto terms = static_cast<double>(shape.elements() / exact[0].view().elements());
    EXPECT_TRUE(near(found.view(), exact[0].view(), rounding_tolerance(DType::kFloat32, 1.0, terms)))
        << to_string(shape);
    EXPECT_TRUE(bit_equal(misaligned.view(), found.view())) << to_string(shape);
  }
}

// A running float sum of so many equal terms is off by more than 1e-4. Here no thread adds more than 128 terms one
// after the other, then at most 18 levels of a tree or joins: equal terms round alike, so that errors add up, each at
// most epsilon / 2.
TEST(CudaReductions, LongSumsKeepTheirDigits) {
  CHIASM_NEEDS_CUDA();
  const std::int64_t count = 1 << 18;
  for (const Shape& shape : {Shape{count}, Shape{count / 4, 4}}) {
    const Buffer x = floats(shape, std::vector<float>(count, 0.1f));
    const Buffer sum = run_one(make_op(Sum{{0}}), {x.view()});
    const double exact = 0.1f * static_cast<double>(shape[0]);
    EXPECT_NEAR(value_at(sum.view(), 0), exact, 146 * 6e-8 * exact) << to_string(shape);
  }
}

TEST(CudaReductions, OfNothing) {
  CHIASM_NEEDS_CUDA();
  const Buffer none(Spec{DType::kFloat32, {0, 3}}), no_output(Spec{DType::kFloat32, {0, 5}});
  const Buffer sum = run_one(make_op(Sum{{0}}), {none.view()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(value_at(sum.view(), i), 0.0);
  EXPECT_EQ(run_one(make_op(Sum{{1}}), {no_output.view()}).view().elements(), 0);
  EXPECT_EQ(run_one(make_op(Softmax{}), {no_output.view()}).view().elements(), 0);
}

// Mean 1000 and spread 1, and an outlier at the place of the first element, from which distances are taken.
TEST(CudaReductions, VarianceSurvivesALargeMeanAndAnOutlier) {
  CHIASM_NEEDS_CUDA();
  for (const auto& [shape, axes] : {std::pair{Shape{3, 4001}, std::vector<int>{1}}, {Shape{2500, 17}, {0}}}) {
    for (const float first : {1000.5f, 0.0f}) {
      const OpPtr op = make_op(Variance{axes});
      const OpCase c{.name = "", .op = op, .inputs = {{shape, uniform(998.3, 1001.7)}}};
      auto x64 = make_inputs(c, DType::kFloat64), x32 = make_inputs(c, DType::kFloat32);
      set_value(x64[0].view(), 0, first);
      set_value(x32[0].view(), 0, first);
      CudaStream stream;
      const auto y64 = run_op(*op, views_of(x64), CpuStream(1));
      const auto y32 = run_op_on_cuda(*op, views_of(x32), stream);
      // Data without outlier: a few epsilon; with it, (n + 1) n epsilon / 2 for the n <= 8 terms of its thread.
      EXPECT_TRUE(near(y32[0].view(), y64[0].view(), {first == 0.0f ? 5e-6 : 2e-6, 0.0})) << to_string(shape);
      const auto dx64 = gradient_of(*op, 0, views_of(x64), views_of(y64), y64[0].view(), CpuStream(1));
      const auto dx32 = gradient_of(*op, 0, views_of(x32), views_of(y32), y32[0].view(), on(stream));
      EXPECT_TRUE(near(dx32->view(), dx64->view(), {first == 0.0f ? 1e-5 : 4e-6, 0.0})) << to_string(shape);
    }
  }
}

// As SurvivesALargeMean of the CPU, with samples and batches long enough to be cut into pieces.
TEST(CudaReductions, NormalizationSurvivesALargeMean) {
  CHIASM_NEEDS_CUDA();
  for (const OpPtr& op : {make_op(BatchNorm{}), make_op(LayerNorm{})}) {
    const OpCase c{.name = "", .op = op, .inputs = {{{3, 17, 33, 5}, uniform(998.3, 1001.7)}, {{5}}, {{5}}}};
    const auto x64 = make_inputs(c, DType::kFloat64), x32 = make_inputs(c, DType::kFloat32);
    CudaStream stream;
    const auto y64 = run_op(*op, views_of(x64), CpuStream(1)), y32 = run_op_on_cuda(*op, views_of(x32), stream);
    EXPECT_TRUE(near(y32[0].view(), y64[0].view(), {3e-6, 0.0})) << op->name();
    EXPECT_TRUE(near(y32[2].view(), y64[2].view(), {3e-6, 0.0})) << op->name();
    const Buffer dy64 = weights_like(y64[0].view()), dy32 = weights_like(y32[0].view());
    for (int input : {0, 1}) {
      const auto g64 = gradient_of(*op, input, views_of(x64), views_of(y64), dy64.view(), CpuStream(1));
      const auto g32 = gradient_of(*op, input, views_of(x32), views_of(y32), dy32.view(), on(stream));
      EXPECT_TRUE(near(g32->view(), g64->view(), {5e-6, 0.0})) << op->name() << " input " << input;
    }
  }
}

// Row 0 ties, row 1 holds NaN twice, row 2 is plain.
TEST(CudaReductions, FirstOfEqualsAndFirstNanTakeTheGradient) {
  CHIASM_NEEDS_CUDA();
  const std::vector<std::pair<Shape, std::vector<float>>> layouts{{{3, 3}, {1, 4, 4, 5, kNaN, kNaN, -3, -2, -1}},
                                                                  {{3, 3}, {1, 5, -3, 4, kNaN, -2, 4, kNaN, -1}}};
  for (const int axis : {1, 0}) {
    const OpPtr op = make_op(Max{{axis}});
    const Buffer x = floats(layouts[1 - axis].first, layouts[1 - axis].second);
    CudaStream stream;
    const std::vector<View> in{x.view()};
    const auto out = run_op_on_cuda(*op, in, stream);
    EXPECT_EQ(value_at(out[0].view(), 0), 4.0);
    EXPECT_TRUE(std::isnan(value_at(out[0].view(), 1)));
    EXPECT_EQ(value_at(out[0].view(), 2), -1.0);
    const Buffer dy = floats({3}, {1, 2, 3});
    const auto dx = gradient_of(*op, 0, in, views_of(out), dy.view(), on(stream));
    const std::vector<double> by_row{0, 1, 0, 0, 2, 0, 0, 0, 3}, by_column{0, 0, 0, 1, 2, 0, 0, 0, 3};
    for (int i = 0; i < 9; ++i) EXPECT_EQ(value_at(dx->view(), i), (axis == 1 ? by_row : by_column)[i]) << axis << i;
  }
}

TEST(CudaReductions, MaxOfManyPiecesFindsNan) {
  CHIASM_NEEDS_CUDA();
  std::vector<float> values(20011, -1.0f);
  values[17] = -0.5f;
  EXPECT_EQ(value_at(run_one(make_op(Max{}), {floats({20011}, values).view()}).view(), 0), -0.5);
  values[20010] = kNaN;
  EXPECT_TRUE(std::isnan(value_at(run_one(make_op(Max{}), {floats({20011}, values).view()}).view(), 0)));
}

// Rows held in registers, and longer ones.
TEST(CudaSoftmax, SurvivesLargeLogitsAndInfinity) {
  CHIASM_NEEDS_CUDA();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::int64_t length : {3, 2050}) {
    std::vector<float> row(static_cast<std::size_t>(length), -3e38f);
    row[0] = row[2] = 3e38f;
    const Buffer y = run_one(make_op(Softmax{}), {floats({length}, row).view()});
    EXPECT_NEAR(value_at(y.view(), 0), 0.5, 1e-6);
    EXPECT_EQ(value_at(y.view(), 1), 0.0);
    std::fill(row.begin(), row.end(), -infinity);  // begins with -inf, which must not spoil the sum
    row[2] = 1.0f;
    const Buffer l = run_one(make_op(LogSoftmax{}), {floats({length}, row).view()});
    EXPECT_EQ(value_at(l.view(), 2), 0.0);
    EXPECT_EQ(value_at(l.view(), 0), -infinity);
    row[1] = kNaN;
    const Buffer bad = run_one(make_op(Softmax{}), {floats({length}, row).view()});
    for (std::int64_t i = 0; i < length; ++i) EXPECT_TRUE(std::isnan(value_at(bad.view(), i))) << i;
  }
}

// CUDA cannot throw: the sample becomes NaN, and only it.
TEST(CudaLoss, LabelOutOfRangeIsNan) {
  CHIASM_NEEDS_CUDA();
  for (const OpPtr& op : {make_op(CrossEntropy{}), make_op(SigmoidCrossEntropy{})}) {
    for (const std::int64_t classes : {10, 1500}) {
      for (const std::int64_t label : {std::int64_t{-1}, classes}) {
        const Buffer logits = floats({3, classes}, std::vector<float>(static_cast<std::size_t>(3 * classes), 0.25f));
        Buffer labels(Spec{DType::kInt32, {3}});
        for (int n = 0; n < 3; ++n) set_value(labels.view(), n, n == 1 ? static_cast<double>(label) : 0.0);
        const std::vector<View> in{logits.view(), labels.view()};
        CudaStream stream;
        const auto loss = run_op_on_cuda(*op, in, stream);
        const Buffer dy = floats({3}, {1, 1, 1});
        const auto dx = gradient_of(*op, 0, in, views_of(loss), dy.view(), on(stream));
        for (int n = 0; n < 3; ++n) {
          EXPECT_EQ(std::isnan(value_at(loss[0].view(), n)), n == 1) << op->name();
          EXPECT_EQ(std::isnan(value_at(dx->view(), n * classes + 3)), n == 1) << op->name();
        }
      }
    }
  }
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "kernels/normalization/batch_norm.h"
#include "kernels/normalization/batch_norm_inference.h"
#include "kernels/normalization/layer_norm.h"
#include "kernels/normalization/local_response_norm.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

// k: mean, variance, root and two products follow each other. Differences: third derivatives of 1 / s reach 100 for the
// short sums here, so h^2 f''' is about 1e-8.
OpCase normalised(const std::string& name, const OpPtr& op, Shape x, double reduction) {
  const Shape c{x.at(-1)};
  return {.name = name,
          .op = op,
          .inputs = {{x, uniform(-1.0, 2.0)}, {c, uniform(0.5, 1.5)}, {c}},
          .k = 16,
          .reduction = reduction,
          .difference_tolerance = 1e-6};
}

// One element per group: y is the offset, the variance 0 and the gradient of x 0.
OpCase lonely(OpCase c) {
  c.may_be_vacuous = true;
  return c;
}

CHIASM_OP_CASES(BatchNorm, {normalised("image", make_op(BatchNorm{}), {2, 3, 5, 7}, 30),
                            normalised("rows", make_op(BatchNorm{1e-3}), {9, 5}, 9),
                            normalised("one_channel", make_op(BatchNorm{}), {3, 37, 1}, 111),
                            normalised("wide", make_op(BatchNorm{}), {11, 519}, 11),
                            normalised("quads", make_op(BatchNorm{}), {257, 4}, 257),
                            normalised("odd", make_op(BatchNorm{}), {65, 33}, 65),
                            lonely(normalised("one_row", make_op(BatchNorm{}), {1, 3}, 1)),
                            lonely(normalised("single", make_op(BatchNorm{}), {1}, 1))});
CHIASM_OP_CASES(LayerNorm, {normalised("image", make_op(LayerNorm{}), {2, 3, 5, 7}, 105),
                            normalised("rows", make_op(LayerNorm{}), {5, 37}, 37),
                            normalised("one_sample", make_op(LayerNorm{}), {1, 2, 3, 5}, 30),
                            normalised("quads", make_op(LayerNorm{}), {3, 5, 5, 8}, 200),
                            normalised("long", make_op(LayerNorm{}), {2, 1031}, 1031),
                            normalised("many", make_op(LayerNorm{}), {65, 3, 3}, 9),
                            normalised("one_channel", make_op(LayerNorm{}), {3, 4, 5, 1}, 20)});

OpCase inference(const std::string& name, Shape x) {
  OpCase c = normalised(name, make_op(BatchNormInference{}), x, static_cast<double>(x.elements() / x.at(-1)));
  const Shape channels{x.at(-1)};
  c.inputs.push_back({channels});
  c.inputs.push_back({channels, uniform(0.5, 2.0)});
  return c;
}

CHIASM_OP_CASES(BatchNormInference,
                {inference("image", {2, 3, 5, 7}), inference("rows", {9, 5}), inference("one_channel", {37, 1}),
                 inference("quads", {33, 8}), inference("odd", {65, 33}), inference("single", {1, 1})});

OpCase response(const std::string& name, LocalResponseNorm op, Shape x) {
  return {.name = name, .op = make_op(op), .inputs = {{x, uniform(-2.0, 2.0)}}, .k = 8, .reduction = 11};
}

// More channels than a block, with a halo; a radius beyond all channels; a power without its own code.
CHIASM_OP_CASES(LocalResponseNorm,
                {response("image", {}, {2, 3, 5, 13}), response("strong", {2, 1.0, 0.5, 0.75}, {3, 9}),
                 response("blocks", {5, 1.0, 0.1, 0.75}, {1, 1037}), response("power", {3, 2.0, 0.3, 0.6}, {4, 7}),
                 response("quads", {}, {5, 96}), response("odd", {3, 1.0, 0.2, 0.75}, {17, 33}),
                 response("many", {}, {700, 3}), response("far", {100, 1.0, 0.01, 0.75}, {1, 301}),
                 response("self", {0, 1.0, 1.0, 1.0}, {5}), response("single", {}, {1, 1})});

TEST(Normalization, AgreesWithGolden) {
  const Golden golden("normalization");
  expect_golden(golden, "batch_norm", *make_op(BatchNorm{1e-5}), 1e-11);
  expect_golden(golden, "batch_norm_rows", *make_op(BatchNorm{1e-3}), 1e-11);
  expect_golden(golden, "batch_norm_inference", *make_op(BatchNormInference{1e-5}));
  expect_golden(golden, "layer_norm", *make_op(LayerNorm{}), 1e-11);
  expect_golden(golden, "layer_norm_rows", *make_op(LayerNorm{}), 1e-11);
  expect_golden(golden, "local_response_norm", *make_op(LocalResponseNorm{}));
  expect_golden(golden, "local_response_norm_strong", *make_op(LocalResponseNorm{1, 2.0, 0.3, 0.5}));
}

// float32 with mean 1000 and spread 1 against float64 of the same numbers. The tolerance is that of data around 0:
// neither the variance nor the rounded mean may take digits.
TEST(Normalization, SurvivesALargeMean) {
  for (const OpPtr& op : {make_op(BatchNorm{}), make_op(LayerNorm{})}) {
    OpCase c = normalised("", op, {6, 7, 11, 5}, 462);
    c.inputs[0].fill = uniform(998.3, 1001.7);
    const auto x64 = make_inputs(c, DType::kFloat64), x32 = make_inputs(c, DType::kFloat32);
    const auto y64 = run_op(*op, views_of(x64), CpuStream(1)), y32 = run_op(*op, views_of(x32), CpuStream(2));
    EXPECT_TRUE(near(y32[0].view(), y64[0].view(), {3e-6, 0.0})) << op->name();
    EXPECT_TRUE(near(y32[2].view(), y64[2].view(), {3e-6, 0.0})) << op->name();
    Buffer dy64(y64[0].view().spec()), dy32(y32[0].view().spec());
    for (std::int64_t i = 0; i < dy64.view().elements(); ++i) {
      const auto value = static_cast<float>(0.3 + 0.7 * static_cast<double>((i * 7919) % 101) / 101.0);
      set_value(dy64.view(), i, value);
      set_value(dy32.view(), i, value);
    }
    for (int input : {0, 1}) {
      const auto g64 = gradient_of(*op, input, views_of(x64), views_of(y64), dy64.view(), CpuStream(1));
      const auto g32 = gradient_of(*op, input, views_of(x32), views_of(y32), dy32.view(), CpuStream(2));
      EXPECT_TRUE(near(g32->view(), g64->view(), {5e-6, 0.0})) << op->name() << " input " << input;
    }
  }
}

// One element per sample: y is the offset and no gradient reaches x, up to rounding times 1 / sqrt(epsilon).
TEST(LayerNorm, OfOneElementIsTheOffset) {
  const OpCase c = normalised("", make_op(LayerNorm{1e-2}), {3, 1}, 1);
  for (DType type : {DType::kFloat32, DType::kFloat64}) {
    const auto in = make_inputs(c, type);
    const auto out = run_op(*c.op, views_of(in), CpuStream(1));
    const auto dx = gradient_of(*c.op, 0, views_of(in), views_of(out), out[0].view(), CpuStream(1));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(value_at(out[0].view(), i), value_at(in[2].view(), 0));
      EXPECT_EQ(value_at(out[1].view(), i), value_at(in[0].view(), i));
      EXPECT_EQ(value_at(out[2].view(), i), 0.0);
      EXPECT_NEAR(value_at(dx->view(), i), 0.0, 1e-5);
    }
  }
}

TEST(Normalization, NanSpoilsWhatItIsAveragedWith) {
  Buffer x(Spec{DType::kFloat32, {3, 4}}), gain(Spec{DType::kFloat32, {4}}), offset(Spec{DType::kFloat32, {4}});
  for (int i = 0; i < 12; ++i) set_value(x.view(), i, i * i);
  for (int i = 0; i < 4; ++i) set_value(gain.view(), i, 1.0), set_value(offset.view(), i, 0.0);
  set_value(x.view(), 5, std::numeric_limits<double>::quiet_NaN());
  const std::vector<View> in{x.view(), gain.view(), offset.view()};
  const auto batch = run_op(*make_op(BatchNorm{}), in, CpuStream(1));
  const auto layer = run_op(*make_op(LayerNorm{}), in, CpuStream(1));
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(std::isnan(value_at(batch[0].view(), i)), i % 4 == 1) << i;
    EXPECT_EQ(std::isnan(value_at(layer[0].view(), i)), i / 4 == 1) << i;
  }
}

TEST(Normalization, RejectsWrongShapes) {
  const auto infer = [](const OpPtr& op, Shape x, Shape gain) {
    return op->infer(std::vector<Spec>{{DType::kFloat32, x}, {DType::kFloat32, gain}, {DType::kFloat32, gain}});
  };
  EXPECT_THROW(infer(make_op(BatchNorm{}), {2, 3}, {2}), ShapeError);
  EXPECT_THROW(infer(make_op(BatchNorm{}), {0, 3}, {3}), ShapeError);
  EXPECT_THROW(infer(make_op(LayerNorm{}), {3}, {3}), ShapeError);
  EXPECT_THROW(infer(make_op(LayerNorm{}), {2, 0, 3}, {3}), ShapeError);
  EXPECT_THROW(LocalResponseNorm{-1}.infer(std::vector<Spec>{{DType::kFloat32, {3}}}), ShapeError);
  EXPECT_THROW(LocalResponseNorm{257}.infer(std::vector<Spec>{{DType::kFloat32, {3}}}), ShapeError);
}

}  // namespace
}  // namespace chiasm::test

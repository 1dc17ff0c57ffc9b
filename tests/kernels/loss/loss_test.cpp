// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/loss/cross_entropy.h"
#include "kernels/loss/sigmoid_cross_entropy.h"
#include "kernels/loss/squared_error.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

// k: as for softmax; of the sigmoid form, 3 ulp of each term are among it.
template <class Op>
OpCase labels(const std::string& name, std::int64_t samples, std::int64_t classes) {
  return {.name = name,
          .op = make_op(Op{}),
          .inputs = {{{samples, classes}, uniform(-4.0, 4.0)}, {{samples}, indices(classes)}},
          .k = 12,
          .reduction = static_cast<double>(classes),
          .may_be_vacuous = classes == 1};
}

template <class Op>
std::vector<OpCase> label_cases() {
  return {labels<Op>("digits", 7, 10),   labels<Op>("many", 3, 101),         labels<Op>("one_sample", 1, 3),
          labels<Op>("one_class", 2, 1), labels<Op>("many_samples", 257, 3), labels<Op>("quads", 5, 64),
          labels<Op>("long", 2, 1031)};
}
CHIASM_OP_CASES(CrossEntropy, label_cases<CrossEntropy>());
CHIASM_OP_CASES(SigmoidCrossEntropy, label_cases<SigmoidCrossEntropy>());
// More than one block of terms.
CHIASM_OP_CASES(SigmoidCrossEntropyLong, {labels<SigmoidCrossEntropy>("thousand", 2, 1000)});

OpCase pair(const std::string& name, Shape shape, double length) {
  return {.name = name, .op = make_op(SquaredError{}), .inputs = {{shape}, {shape}}, .reduction = length};
}

CHIASM_OP_CASES(SquaredError, {pair("vector", {5}, 1), pair("rows", {3, 37}, 37), pair("images", {2, 3, 5, 7}, 105),
                               pair("many", {257, 3}, 3), pair("quads", {5, 32}, 32), pair("long", {1, 1031}, 1031),
                               pair("single", {1, 1}, 1)});

TEST(Loss, AgreesWithGolden) {
  const Golden golden("loss");
  expect_golden(golden, "cross_entropy", *make_op(CrossEntropy{}), 1e-11);
  expect_golden(golden, "cross_entropy_confident", *make_op(CrossEntropy{}), 1e-11);
  expect_golden(golden, "sigmoid_cross_entropy", *make_op(SigmoidCrossEntropy{}), 1e-11);
  expect_golden(golden, "sigmoid_cross_entropy_confident", *make_op(SigmoidCrossEntropy{}), 1e-11);
  expect_golden(golden, "squared_error", *make_op(SquaredError{}));
}

TEST(Loss, NamesALabelOutOfRange) {
  for (const OpPtr& op : {make_op(CrossEntropy{}), make_op(SigmoidCrossEntropy{})}) {
    for (DType type : {DType::kFloat32, DType::kFloat64}) {
      for (std::int32_t label : {-1, 10}) {
        Buffer logits(Spec{type, {3, 10}}), labels(Spec{DType::kInt32, {3}});
        for (int i = 0; i < 30; ++i) set_value(logits.view(), i, 0.0);
        for (int i = 0; i < 3; ++i) set_value(labels.view(), i, i == 1 ? label : 0);
        const std::vector<View> in{logits.view(), labels.view()};
        try {
          run_op(*op, in, CpuStream(2));
          FAIL() << "label " << label << " was taken";
        } catch (const InputError& error) {
          EXPECT_EQ(std::string(error.what()), "[" + std::string(op->name()) + "] sample 1 has label " +
                                                   std::to_string(label) + ", and the logits have 10 classes");
        }
      }
    }
  }
}

// A unit that is right by e^-30 has a loss of that size in both types, where softplus(30) - 30 is 0 in float32; and the
// gradient that goes with it.
TEST(SigmoidCrossEntropy, KeepsTheDigitsOfAConfidentLabel) {
  for (DType type : {DType::kFloat32, DType::kFloat64}) {
    Buffer logits(Spec{type, {1, 2}}), labels(Spec{DType::kInt32, {1}}), dy(Spec{type, {1}});
    set_value(logits.view(), 0, -40.0);
    set_value(logits.view(), 1, 30.0);
    set_value(labels.view(), 0, 1);
    set_value(dy.view(), 0, 1.0);
    const std::vector<View> in{logits.view(), labels.view()};
    const OpPtr op = make_op(SigmoidCrossEntropy{});
    const std::vector<Buffer> out = run_op(*op, in, CpuStream(1));
    const double expected = std::exp(-30.0) + std::exp(-40.0);
    EXPECT_NEAR(value_at(out[0].view(), 0), expected, 1e-6 * expected);
    const auto dx = gradient_of(*op, 0, in, views_of(out), dy.view(), CpuStream(1));
    EXPECT_NEAR(value_at(dx->view(), 0), std::exp(-40.0), 1e-6 * std::exp(-40.0));
    EXPECT_NEAR(value_at(dx->view(), 1), -std::exp(-30.0), 1e-6 * std::exp(-30.0));
  }
}

TEST(Loss, RejectsWrongShapes) {
  const auto infer = [](const OpPtr& op, Spec a, Spec b) { return op->infer(std::vector<Spec>{a, b}); };
  const OpPtr entropy = make_op(CrossEntropy{}), squared = make_op(SquaredError{});
  EXPECT_THROW(infer(entropy, {DType::kFloat32, {3, 4}}, {DType::kInt32, {4}}), ShapeError);
  EXPECT_THROW(infer(entropy, {DType::kFloat32, {3, 4}}, {DType::kFloat32, {3}}), ShapeError);
  EXPECT_THROW(infer(entropy, {DType::kFloat32, {3, 0}}, {DType::kInt32, {3}}), ShapeError);
  EXPECT_THROW(infer(squared, {DType::kFloat32, {3, 4}}, {DType::kFloat32, {3, 1}}), ShapeError);
  EXPECT_THROW(infer(squared, {DType::kFloat32, {}}, {DType::kFloat32, {}}), ShapeError);
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/loss/cross_entropy.h"
#include "kernels/loss/squared_error.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

// k: as for softmax.
OpCase labels(const std::string& name, std::int64_t samples, std::int64_t classes) {
  return {.name = name,
          .op = make_op(CrossEntropy{}),
          .inputs = {{{samples, classes}, uniform(-4.0, 4.0)}, {{samples}, indices(classes)}},
          .k = 12,
          .reduction = static_cast<double>(classes),
          .may_be_vacuous = classes == 1};
}

CHIASM_OP_CASES(CrossEntropy, {labels("digits", 7, 10), labels("many", 3, 101), labels("one_sample", 1, 3),
                               labels("one_class", 2, 1)});

OpCase pair(const std::string& name, Shape shape, double length) {
  return {.name = name, .op = make_op(SquaredError{}), .inputs = {{shape}, {shape}}, .reduction = length};
}

CHIASM_OP_CASES(SquaredError, {pair("vector", {5}, 1), pair("rows", {3, 37}, 37), pair("images", {2, 3, 5, 7}, 105),
                               pair("single", {1, 1}, 1)});

TEST(Loss, AgreesWithGolden) {
  const Golden golden("loss");
  expect_golden(golden, "cross_entropy", *make_op(CrossEntropy{}), 1e-11);
  expect_golden(golden, "cross_entropy_confident", *make_op(CrossEntropy{}), 1e-11);
  expect_golden(golden, "squared_error", *make_op(SquaredError{}));
}

TEST(CrossEntropy, NamesALabelOutOfRange) {
  for (DType type : {DType::kFloat32, DType::kFloat64}) {
    for (std::int32_t label : {-1, 10}) {
      Buffer logits(Spec{type, {3, 10}}), labels(Spec{DType::kInt32, {3}});
      for (int i = 0; i < 30; ++i) set_value(logits.view(), i, 0.0);
      for (int i = 0; i < 3; ++i) set_value(labels.view(), i, i == 1 ? label : 0);
      const std::vector<View> in{logits.view(), labels.view()};
      try {
        run_op(*make_op(CrossEntropy{}), in, CpuStream(2));
        FAIL() << "label " << label << " was taken";
      } catch (const InputError& error) {
        EXPECT_EQ(std::string(error.what()),
                  "[cross_entropy] sample 1 has label " + std::to_string(label) + ", and the logits have 10 classes");
      }
    }
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

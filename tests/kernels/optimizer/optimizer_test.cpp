// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>

#include "kernels/optimizer/adam_step.h"
#include "kernels/optimizer/rms_prop_step.h"
#include "kernels/optimizer/sgd_step.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/op_checks.h"
#include "tests/support/run.h"

namespace chiasm::test {
namespace {

std::vector<OpCase> sgd(const std::string& name, SgdStep op) {
  const auto row = [&](const std::string& shape_name, Shape shape) {
    return OpCase{.name = "sgd_" + name + shape_name,
                  .op = make_op(op),
                  .inputs = {{shape}, {shape}, {shape}, {{}, constant(0.125)}},
                  .may_be_vacuous = shape.elements() == 1};
  };
  return {row("_image", {3, 3, 5, 7}), row("_large", {40009}), row("_scalar", {})};
}
CHIASM_OP_CASES(SgdPlain, sgd("plain", {}));
CHIASM_OP_CASES(SgdMomentum, sgd("momentum", {.momentum = 0.9, .l2 = 0.01}));
CHIASM_OP_CASES(SgdNesterov, sgd("nesterov", {.momentum = 0.9, .nesterov = true, .l2 = 0.01}));
CHIASM_OP_CASES(SgdDecay, sgd("decay", {.momentum = 0.9, .l2 = 0.01, .decay = 0.1}));

std::vector<OpCase> adam(const std::string& name, AdamStep op) {
  const auto row = [&](const std::string& shape_name, Shape shape) {
    return OpCase{
        .name = "adam_" + name + shape_name,
        .op = make_op(op),
        .inputs = {{shape}, {shape}, {shape}, {shape, uniform(0.01, 1.0)}, {{}, constant(0.125)}, {{}, constant(3)}},
        .k = 8,  // a quotient of a root and five products
        .may_be_vacuous = shape.elements() == 1};
  };
  return {row("_image", {3, 3, 5, 7}), row("_large", {40009}), row("_scalar", {})};
}
CHIASM_OP_CASES(AdamOutside, adam("outside", {.epsilon = 1e-3, .l2 = 0.01}));
CHIASM_OP_CASES(AdamInside, adam("inside", {.epsilon = 1e-3, .epsilon_convention = AdamEpsilon::kInside}));

CHIASM_OP_CASES(AdamDecay, adam("decay", {.epsilon = 1e-3, .l2 = 0.01, .decay = 0.1}));

std::vector<OpCase> rms_prop(const std::string& name, RmsPropStep op) {
  const auto row = [&](const std::string& shape_name, Shape shape) {
    return OpCase{.name = "rms_prop_" + name + shape_name,
                  .op = make_op(op),
                  .inputs = {{shape}, {shape}, {shape, uniform(0.01, 1.0)}, {shape}, {{}, constant(0.125)}},
                  .k = 8,  // a quotient of a root and four products
                  .may_be_vacuous = shape.elements() == 1};
  };
  return {row("_image", {3, 3, 5, 7}), row("_large", {40009}), row("_scalar", {})};
}
CHIASM_OP_CASES(RmsPropOutside, rms_prop("outside", {.momentum = 0.9, .epsilon = 1e-3, .l2 = 0.01}));
CHIASM_OP_CASES(RmsPropInside, rms_prop("inside", {.epsilon = 1e-3, .epsilon_inside = true, .decay = 0.1}));

// Runs the five steps of a golden case, carrying the state; `scalars` are the inputs after w, g and the state.
void expect_steps(const std::string& name, const AnyOp& op, int states,
                  const std::function<std::vector<Tensor>(int)>& scalars) {
  const Golden golden("optimizer");
  Tensor w = golden.at(name + "/w0").clone();
  std::vector<Tensor> state;
  for (int i = 0; i < states; ++i) state.push_back(Tensor::zeros(DType::kFloat64, w.shape()));
  for (int t = 1; t <= 5; ++t) {
    std::vector<Tensor> in{w, golden.at(name + "/g" + std::to_string(t))};
    in.insert(in.end(), state.begin(), state.end());
    for (const Tensor& scalar : scalars(t)) in.push_back(scalar);
    const std::vector<Tensor> out = outputs_of(op, in);
    w = out[0];
    std::copy(out.begin() + 1, out.end(), state.begin());
    EXPECT_TRUE(near(w.view(), golden.at(name + "/w" + std::to_string(t)).view(), {1e-14, 0.0}))
        << name << " step " << t;
  }
}

Tensor rate(double value) { return tensor<double>({}, {value}); }

TEST(SgdStep, AgreesWithPyTorch) {
  const auto scalars = [](int) { return std::vector<Tensor>{rate(0.1)}; };
  expect_steps("sgd", *make_op(SgdStep{}), 1, scalars);
  expect_steps("momentum", *make_op(SgdStep{.momentum = 0.9, .l2 = 0.01}), 1, scalars);
  expect_steps("nesterov", *make_op(SgdStep{.momentum = 0.8, .nesterov = true, .l2 = 0.02}), 1, scalars);
}

TEST(AdamStep, AgreesWithPyTorchAndTensorFlow) {
  const auto scalars = [](int t) { return std::vector<Tensor>{rate(0.05), tensor<std::int32_t>({}, {t})}; };
  expect_steps("adam", *make_op(AdamStep{.epsilon = 1e-3}), 2, scalars);
  expect_steps("adam_l2", *make_op(AdamStep{.beta1 = 0.8, .beta2 = 0.99, .l2 = 0.1}), 2, scalars);
  expect_steps("adam_inside",
               *make_op(AdamStep{.epsilon = 1e-3, .epsilon_convention = AdamEpsilon::kInside, .l2 = 0.01}), 2, scalars);
}

TEST(AdamStep, WithDecayIsAdamW) {
  expect_steps("adam_w", *make_op(AdamStep{.beta1 = 0.8, .beta2 = 0.99, .decay = 0.1}), 2, [](int t) {
    return std::vector<Tensor>{rate(0.05), tensor<std::int32_t>({}, {t})};
  });
}

TEST(SgdStep, DecayLeavesTheVelocityAlone) {
  expect_steps("sgd_decay", *make_op(SgdStep{.momentum = 0.9, .decay = 0.3}), 1,
               [](int) { return std::vector<Tensor>{rate(0.1)}; });
}

TEST(RmsPropStep, AgreesWithPyTorchAndItsFormula) {
  const auto scalars = [](int) { return std::vector<Tensor>{rate(0.01)}; };
  expect_steps("rms_prop", *make_op(RmsPropStep{}), 2, scalars);
  expect_steps("rms_prop_momentum",
               *make_op(RmsPropStep{.smoothing = 0.9, .momentum = 0.8, .epsilon = 1e-3, .l2 = 0.1}), 2, scalars);
  expect_steps("rms_prop_inside", *make_op(RmsPropStep{.smoothing = 0.9, .epsilon = 1e-3, .epsilon_inside = true}), 2,
               scalars);
}

// The update writes over its own inputs, as a program runs it.
TEST(OptimizerSteps, RunInPlace) {
  CpuStream stream(2);
  const Shape shape{40009};
  std::vector<Tensor> in;
  for (int i = 0; i < 4; ++i) {
    Tensor x = Tensor::zeros(DType::kFloat32, shape);
    for (std::int64_t k = 0; k < x.elements(); ++k) {
      x.values<float>()[static_cast<std::size_t>(k)] = static_cast<float>(k * (i + 3) % 89) / 89.0f;
    }
    in.push_back(x);
  }
  in.push_back(tensor<float>({}, {0.1f}));
  in.push_back(tensor<float>({}, {2.0f}));
  const AdamStep adam{.l2 = 0.1};
  const std::vector<Tensor> expected = outputs_of(*make_op(adam), in, 2);
  std::vector<View> views;
  for (const Tensor& tensor : in) views.push_back(tensor.view());
  const std::vector<MutableView> out{in[0].view(), in[2].view(), in[3].view()};
  adam.forward(stream, views, out);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bit_equal(out[i], expected[i].view())) << "output " << i;
}

TEST(OptimizerSteps, RejectWhatDoesNotFit) {
  const Tensor w = tensor<float>({2}, {1, 2}), lr = tensor<float>({}, {1}), zero = tensor<std::int32_t>({}, {0});
  EXPECT_THROW(apply(*make_op(AdamStep{}), {w, w, w, w, lr, zero}), InputError);
  EXPECT_THROW(apply(*make_op(AdamStep{}), {w, w, w, lr, lr, lr}), ShapeError);
  EXPECT_THROW(apply(*make_op(RmsPropStep{}), {w, w, lr, w, lr}), ShapeError);
  EXPECT_THROW(apply(*make_op(SgdStep{}), {w, w, w, w}), ShapeError);
  EXPECT_THROW(apply(*make_op(SgdStep{}), {w, tensor<double>({2}, {1, 2}), w, lr}), ShapeError);
}

}  // namespace
}  // namespace chiasm::test

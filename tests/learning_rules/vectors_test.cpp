// SPDX-License-Identifier: Apache-2.0
// Section 11 of spec/learning_rules.md: the dense layer of 3 inputs and 2 outputs, and the convolution. The backward
// weight of the spec is our array; its forward weight and the gradient of that are transposed.
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/elementwise/map.h"
#include "kernels/linear/linear.h"
#include "kernels/reduction/sum.h"
#include "learning_rules/learning_step.h"
#include "learning_rules/primitives/primitives.h"
#include "tests/support/aligned_layer.h"

namespace chiasm::test {
namespace {

constexpr double kVectors = 1e-9;  // in double: the spec's numbers are exact or have this many decimals
constexpr double kSingle = 1e-5;   // in float, beside the largest number of the vector
constexpr const char* kW = "[[0.5, 1.5], [-1, 0.75], [0.25, -0.5]]";
constexpr const char* kB = "[[0.2, -0.4], [0.1, 0.3], [-0.6, 0.5]]";
constexpr const char* kBias = "(0.1, -0.2)";

struct Case {
  const char* name;
  const Primitive* primitive;
  double value;
  const char* gradient;
};

LayerSetting dense(std::int64_t batch, bool bias = false, OpPtr activation = nullptr) {
  return {.x = {batch, 3}, .weight = {3, 2}, .bias = bias, .activation = std::move(activation)};
}

LayerSetting convolution() {
  return {.name = "convolution",
          .op = make_op(Conv2d{.padding = Padding2d::valid()}),
          .x = {1, 3, 3, 1},
          .weight = {2, 2, 1, 1}};
}

using Start = std::vector<std::pair<const char*, const char*>>;

void expect_vectors(LayerSetting setting, const Start& start, const std::vector<std::string>& operations,
                    const std::vector<Case>& cases) {
  for (DType dtype : {DType::kFloat64, DType::kFloat32}) {
    setting.dtype = dtype;
    for (const Case& c : cases) {
      SCOPED_TRACE(std::string(c.name) + " " + std::string(c.primitive->name) + " " + std::string(name_of(dtype)));
      AlignedLayer layer(setting, rule_with({{c.primitive, 1.0}}, operations));
      for (const auto& [name, values] : start) layer.set(name, numbers(values));
      const std::vector<double> expected = numbers(c.gradient);
      const bool exact = dtype == DType::kFloat64;
      EXPECT_NEAR(layer.value(), c.value, exact ? kVectors : kSingle * std::fabs(c.value));
      EXPECT_LT(largest_difference(layer.gradient(), expected), exact ? kVectors : kSingle * largest(expected));
    }
  }
}

TEST(Vectors, PrimitivesOfOneSample) {
  expect_vectors(dense(1), {{"weight", kW}, {"weight_backward", kB}, {"x", "(1, 2, -1)"}}, {},
                 {{"any", &kDecayPrimitive, 0.455, kB},
                  {"any", &kSelfPrimitive, 0.775, "-0.5 -1.5 ; 1.0 -0.75 ; -0.25 0.5"},
                  {"N=1", &kAmpPrimitive, 2.8, "1.75 -3.5 ; 3.5 -7.0 ; -1.75 3.5"},
                  {"N=1", &kNullPrimitive, 5.8340625, "3.0625 -6.125 ; -1.53125 3.0625 ; -4.9 9.8"},
                  {"N=1", &kSparsePrimitive, 0.545, "1.0 -0.3 ; 2.0 -0.6 ; -1.0 0.3"}});
}

const Start kTwoSamples = {{"weight", kW}, {"weight_backward", kB}, {"x", "(1, 2, -1), (0.5, -1.5, 2)"}};

TEST(Vectors, PrimitivesOfTwoSamples) {
  expect_vectors(
      dense(2), kTwoSamples, {},
      {{"any", &kDecayPrimitive, 0.455, kB},
       {"any", &kSelfPrimitive, 0.775, "-0.5 -1.5 ; 1.0 -0.75 ; -0.25 0.5"},
       {"N=2", &kAmpPrimitive, 3.046875, "0.3125 -1.40625 ; 3.4375 -4.53125 ; -3.125 3.125"},
       {"N=2", &kNullPrimitive, 4.213671875, "2.65625 -3.75 ; -0.9765625 1.66015625 ; -4.7421875 6.30078125"},
       {"N=2", &kSparsePrimitive, 0.69375, "0.1875 -0.0625 ; 1.9375 -0.5625 ; -1.75 0.5"}});
}

TEST(Vectors, PrimitivesOfARectifiedLayer) {
  Start start = kTwoSamples;
  start.emplace_back("bias", kBias);
  expect_vectors(dense(2, true, make_op(Map<Relu>{})), start, {"fo_bias", "fo_relu"},
                 {{"relu", &kAmpPrimitive, 1.96375, "-0.5875 -1.65 ; 1.7625 -3.3 ; -2.35 1.65"},
                  {"relu", &kNullPrimitive, 1.92730625, "0.55225 -2.178 ; 0.276125 1.6335 ; -1.65675 2.7225"}});
}

const Start kImage = {{"weight", "[[0.5,-1],[0.25,2]]"},
                      {"weight_backward", "[[0.2,-0.4],[0.1,0.3]]"},
                      {"x", "[[-4,-3,-2],[-1,0,1],[2,3,4]]"}};

TEST(Vectors, PrimitivesOfAConvolution) {
  expect_vectors(convolution(), kImage, {},
                 {{"conv", &kAmpPrimitive, -15.4, "[[16.5,-0.5],[-34.5,-51.5]]"},
                  {"conv", &kNullPrimitive, 10.37375, "[[5.35625,-22.8125],[23.575,27.3125]]"},
                  {"conv", &kSparsePrimitive, 1.18, "[[-3.6,-0.8],[4.8,7.6]]"},
                  {"conv", &kDecayPrimitive, 0.15, "[[0.2,-0.4],[0.1,0.3]]"},
                  {"conv", &kSelfPrimitive, -1.125, "[[-0.5,1],[-0.25,-2]]"}});
}

// Primitives that compute nothing and put what they are given into the outputs of the graph.
Value show(const LayerSignals& s) {
  Graph& graph = s.backward.graph();
  graph.output("y", s.y);
  graph.output("q", s.q);
  graph.output("r", s.r);
  return graph.apply(Sum{}, {s.q});
}
const Primitive kShow{.name = "show",
                      .value_formula = "",
                      .gradient_formula = "",
                      .meaning = "",
                      .cost = "",
                      .of = Primitive::Of::kProjection,
                      .value = show,
                      .gradient = [](const LayerSignals& s) -> ScaledSignal {
                        return {s.q, 1.0};
                      }};

TEST(Vectors, SignalsOfALayer) {
  AlignedLayer layer(dense(2), rule_with({{&kShow, 1.0}}));
  for (const auto& [name, values] : kTwoSamples) layer.set(name, numbers(values));
  EXPECT_LT(largest_difference(layer.output("y"), numbers("(-1.75, 3.5), (2.25, -1.375)")), kVectors);
  EXPECT_LT(largest_difference(layer.output("q"), numbers("(1, -0.3), (-1.25, 0.35)")), kVectors);
  EXPECT_LT(largest_difference(layer.output("r"), numbers("(-1.75, 0.875, 2.8), (1.0, -0.1875, -2.0375)")), kVectors);

  AlignedLayer image(convolution(), rule_with({{&kShow, 1.0}}));
  for (const auto& [name, values] : kImage) image.set(name, numbers(values));
  EXPECT_LT(largest_difference(image.output("z"), numbers("[[0.75,2.5],[6,7.75]]")), kVectors);
  EXPECT_LT(largest_difference(image.output("q"), numbers("[[0.3,0.5],[0.9,1.1]]")), kVectors);
  EXPECT_LT(largest_difference(image.output("r"), numbers("[[0.15,0.2,-1],[1.275,-0.375,-2.35],[0.6,2.575,2.325]]")),
            kVectors);
}

// Section 5 in order, of 4 rows by 3 inputs.
LayerSetting four_rows() { return {.x = {3, 3}, .weight = {3, 4}, .bias = true, .activation = make_op(Map<Relu>{})}; }
const Start kFourRows = {{"weight", "[.5, 1.5, -.25, .75], [-1, .75, .5, .25], [.25, -.5, 1, -1.25]"},
                         {"weight_backward", "[.2,-.4,.1,.5],[.1,.3,-.2,.4],[-.6,.5,.3,-.1]"},
                         {"x", "(1,2,-1), (.5,-1.5,2), (-1,.25,.75)"},
                         {"bias", "(.1,-.2,.05,.3)"}};
const std::vector<std::string> kWmSet{"fo_bias", "fo_relu", "fo_bwmc", "bi_bwmc"};
const std::vector<std::string> kWmOpsSet{"fo_bias", "fo_relu", "fo_fwmc", "fo_bwmc", "bo_relu", "bo_fwl2n", "bi_bwmc"};
const std::vector<std::string> kIaSet{"fo_bias", "fo_relu", "fo_fwmc", "fo_bwmc", "bo_bias", "bo_fwmc", "bo_fwl2n"};
const std::vector<std::string> kSaSet{"fo_bias", "bo_bias"};

struct OperationCase {
  const char* name;
  const std::vector<std::string>& operations;
  double amp, decay, null;  // coefficients
  double amp_value, null_value, total;
  const char* gradient;
};

void expect_operations(const OperationCase& c, DType dtype) {
  SCOPED_TRACE(std::string(c.name) + " " + std::string(name_of(dtype)));
  const double tolerance = dtype == DType::kFloat64 ? kVectors : kSingle;
  LayerSetting setting = four_rows();
  setting.dtype = dtype;
  const auto layer_of = [&](Coefficients coefficients) {
    AlignedLayer layer(setting, rule_with(coefficients, c.operations));
    for (const auto& [name, values] : kFourRows) layer.set(name, numbers(values));
    return layer;
  };
  EXPECT_NEAR(layer_of({{&kAmpPrimitive, 1.0}}).value(), c.amp_value, tolerance);
  EXPECT_NEAR(layer_of({{&kDecayPrimitive, 1.0}}).value(), 0.735, tolerance);
  if (c.null != 0.0) {
    EXPECT_NEAR(layer_of({{&kNullPrimitive, 1.0}}).value(), c.null_value, tolerance);
  }
  AlignedLayer layer = layer_of({{&kAmpPrimitive, c.amp}, {&kDecayPrimitive, c.decay}, {&kNullPrimitive, c.null}});
  const std::vector<double> expected = numbers(c.gradient);
  EXPECT_NEAR(layer.value(), c.total, tolerance);
  // Nine decimals: half of the last one is 5e-10.
  EXPECT_LT(largest_difference(layer.gradient(), expected), tolerance * std::max(1.0, largest(expected)));
}

TEST(Vectors, LayerOperations) {
  const std::vector<OperationCase> cases{
      {"WM set", kWmSet, 2, 0.5, 0, -0.0697916667, 0.0, 0.2279166667,
       "-0.422222222 -2.033333333 0.702777778 -1.305555556 ; 2.791666667 -3.7 1.270833333 -3.066666667 ; "
       "-2.519444444 3.733333333 -1.090277778 2.905555556"},
      {"WM_AD_OPS set", kWmOpsSet, 2, 0.5, 0, 0.1165615942, 0.0, 0.6006231885,
       "0.669330958 0.118494032 0.030299338 -0.326773193 ; 1.245595013 -1.522093671 0.003428474 -1.011223706 ; "
       "-1.381728821 1.603599638 0.066272187 1.045869067"},
      {"IA set", kIaSet, 2, 0.5, 0.25, 0.2151861569, 0.5632143519, 0.9386759018,
       "0.401927798 -1.196435281 1.136441962 -0.385056007 ; 1.716406312 -1.354915505 1.150631317 -0.957420735 ; "
       "-1.672167587 2.011192863 -1.763624714 1.463019576"},
      {"SA/AA set", kSaSet, 1, 0, 0, 0.1380208333, 0.0, 0.1380208333,
       "0.004166667 -1.466666667 0.2625 -1.008333333 ; 2.313541667 -2.830208333 0.622916667 -2.85625 ; "
       "-2.001041667 2.621875 -1.14375 2.73125"}};
  for (const OperationCase& c : cases) {
    for (DType dtype : {DType::kFloat64, DType::kFloat32}) expect_operations(c, dtype);
  }
}

TEST(Vectors, SignalsAfterTheOperationsOfIa) {
  AlignedLayer layer(four_rows(), rule_with({{&kShow, 1.0}}, kIaSet));
  for (const auto& [name, values] : kFourRows) layer.set(name, numbers(values));
  EXPECT_LT(largest_difference(layer.output("y"),
                               numbers("(-1.408333333, 1.575, -1.408333333, 1.241666667), (1.585416667, -1.08125, "
                                       "0.410416667, -0.914583333), (-0.177083333, -0.49375, 0.997916667, "
                                       "-0.327083333)")),
            kVectors);
  EXPECT_LT(largest_difference(layer.output("q"),
                               numbers("(0.336035837, -0.475522411, -0.500883606, 0.64037018), (-0.703169501, "
                                       "0.137400937, 0.687004685, -0.121236121), (-0.630832408, 0.732345669, "
                                       "0.123266103, -0.224779364)")),
            kVectors);
}

// What the spec calls delta arrives at z when the loss is <z, delta>.
struct Backward {
  std::vector<double> dx, dw, dbias;
};
Backward backward_of(const LayerSetting& setting, const Start& start, const char* delta) {
  Graph graph;
  const Spec weight{setting.dtype, setting.weight};
  const Value x = graph.input("x", Spec{setting.dtype, setting.x});
  const Value w = graph.state("weight", weight), b = graph.state("weight_backward", weight);
  const Value z = graph.apply(setting.op ? setting.op : make_op(Linear{}), std::vector<Value>{x, w, b});
  const Value bias = graph.state("bias", Spec{setting.dtype, {z.shape().at(-1)}});
  const Value said = z + bias;
  const Value loss = graph.apply(Sum{}, {said * graph.input("delta", said.spec())});
  const std::vector<Value> g = gradients(loss, std::vector<Value>{x, w, bias, b});
  for (std::size_t i = 0; i < g.size(); ++i) graph.output("gradient " + std::to_string(i), g[i]);
  const Shape said_shape = said.shape(), bias_shape = bias.shape();
  Program program(graph, {.threads = 1});
  program.bind("bias", Tensor::zeros(setting.dtype, bias_shape));
  for (const auto& [name, values] : start) {
    const bool is_input = std::string(name) == "x";
    const Tensor tensor = Tensor::of<double>(is_input ? setting.x : setting.weight, numbers(values));
    if (is_input) {
      program.set_input(name, tensor.view());
    } else {
      program.bind(name, tensor);
    }
  }
  program.set_input("delta", Tensor::of<double>(said_shape, numbers(delta)).view());
  program.run();
  EXPECT_EQ(largest(values_of(program.output("gradient 3"))), 0.0);  // of the backward weight
  return {values_of(program.output("gradient 0")), values_of(program.output("gradient 1")),
          values_of(program.output("gradient 2"))};
}

TEST(Vectors, BackwardPass) {
  const char* delta = "(0.3, -0.7), (-0.2, 0.4)";
  const Backward untied = backward_of(dense(2), kTwoSamples, delta);
  EXPECT_LT(largest_difference(untied.dx, numbers("(0.34, -0.18, -0.53), (-0.2, 0.1, 0.32)")), kVectors);
  EXPECT_LT(largest_difference(untied.dw, numbers("[0.2, -0.5], [0.9, -2.0], [-0.7, 1.5]")), kVectors);
  EXPECT_LT(largest_difference(untied.dbias, numbers("(0.1, -0.3)")), kVectors);
  Start tied = kTwoSamples;
  tied[1].second = kW;
  const Backward backprop = backward_of(dense(2), tied, delta);
  EXPECT_LT(largest_difference(backprop.dx, numbers("(-0.9, -0.825, 0.425), (0.5, 0.5, -0.25)")), kVectors);
  EXPECT_EQ(largest_difference(backprop.dw, untied.dw), 0.0);

  const char* image_delta = "[[0.3,-0.7],[-0.2,0.4]]";
  const Backward conv = backward_of(convolution(), kImage, image_delta);
  EXPECT_LT(largest_difference(conv.dx, numbers("[[0.06,-0.26,0.28],[-0.01,0.18,-0.37],[-0.02,-0.02,0.12]]")),
            kVectors);
  EXPECT_LT(largest_difference(conv.dw, numbers("[[1.1,0.9],[0.5,0.3]]")), kVectors);
  Start tied_image = kImage;
  tied_image[1].second = tied_image[0].second;
  EXPECT_LT(largest_difference(backward_of(convolution(), tied_image, image_delta).dx,
                               numbers("[[0.15,-0.65,0.7],[-0.025,0.825,-1.8],[-0.05,-0.3,0.8]]")),
            kVectors);
}

TEST(Vectors, AngleIsWhatKolenPollackDescends) {
  Graph graph;
  const Spec spec{DType::kFloat64, {3, 2}};
  const LayerSignals signals{.y = {},
                             .q = {},
                             .r = {},
                             .forward = {},
                             .backward = graph.state("weight_backward", spec),
                             .task_gradient = graph.state("gradient", spec)};
  graph.output("value", kAnglePrimitive.value(signals));
  EXPECT_EQ(kAnglePrimitive.gradient(signals).signal, signals.task_gradient);
  EXPECT_EQ(kAnglePrimitive.gradient(signals).factor, 1.0);
  Program program(graph, {.threads = 1});
  program.bind("weight_backward", Tensor::of<double>({3, 2}, numbers(kB)));
  program.bind("gradient", Tensor::of<double>({3, 2}, numbers("[0.2, -0.5], [0.9, -2.0], [-0.7, 1.5]")));
  program.run();
  EXPECT_NEAR(values_of(program.output("value"))[0], 0.9, kVectors);
}

// One training step of the layer under a rule: what it makes of the backward weight.
std::vector<double> after_one_step(const LearningRule& rule, const Optimizer& optimizer, double rate) {
  Parameters parameters;
  Graph loss;
  const Scope scope(loss, parameters, {.dtype = DType::kFloat64, .untied = [](std::string_view) { return true; }});
  const Value x = loss.input("x", Spec{DType::kFloat64, {2, 3}});
  const Value z = linear(x, scope.weight("weight", {3, 2}, Initialiser::constant(0.0)));
  const Value delta = loss.input("delta", z.spec());
  loss.output("loss", loss.apply(Sum{}, {z * delta}));
  const Learning learning{.rule = rule, .optimizer = optimizer};
  const Graph step = build_learning_step(loss, parameters, learning, {.phase = Phase::kBoth});
  parameters.initialise(1);
  parameters.tensors()["weight"] = Tensor::of<double>({3, 2}, numbers(kW));
  parameters.tensors()["weight_backward"] = Tensor::of<double>({3, 2}, numbers(kB));
  Program program(step, {.threads = 1});
  program.bind_all(parameters.tensors());
  program.set_input("x", Tensor::of<double>({2, 3}, numbers("(1, 2, -1), (0.5, -1.5, 2)")).view());
  program.set_input("delta", Tensor::of<double>({2, 2}, numbers("(0.3, -0.7), (-0.2, 0.4)")).view());
  for (const char* name : {"learning_rate", kAlignmentRate}) {
    if (program.graph().inputs().contains(name)) *program.input(name).as<double>() = rate;
  }
  if (program.graph().inputs().contains(kAlignmentStep)) *program.input(kAlignmentStep).as<std::int32_t>() = 1;
  program.run();
  return values_of(parameters.tensors().at("weight_backward").view());
}

struct RuleCase {
  const char* name;
  LearningRule rule;
  const char* after;  // one step of gradient descent at rate 0.1
};
std::vector<RuleCase> rule_cases() {
  return {{"WM", rule_with({{&kAmpPrimitive, 1.0}, {&kDecayPrimitive, 0.5}}),
           "0.15875 -0.239375 ; -0.24875 0.738125 ; -0.2575 0.1625"},
          {"IA", rule_with({{&kAmpPrimitive, 1.0}, {&kDecayPrimitive, 0.5}, {&kNullPrimitive, 0.25}}),
           "0.09234375 -0.145625 ; -0.2243359375 0.69662109375 ; -0.1389453125 0.00498046875"},
          {"SA", rule_with({{&kDecayPrimitive, 1.0}, {&kSelfPrimitive, 1.0}}), "0.23 -0.21 ; -0.01 0.345 ; -0.515 0.4"},
          {"AA", rule_with({{&kAmpPrimitive, 1.0}, {&kSparsePrimitive, 1.0}}),
           "0.15 -0.253125 ; -0.4375 0.809375 ; -0.1125 0.1375"}};
}

TEST(Vectors, OneStepOfGradientDescent) {
  for (const RuleCase& c : rule_cases()) {
    EXPECT_LT(largest_difference(after_one_step(c.rule, {.rule = Sgd{}}, 0.1), numbers(c.after)), kVectors) << c.name;
  }
  // KP: the gradient of the forward weight, which is [0.2, -0.5], [0.9, -2.0], [-0.7, 1.5] in our layout.
  EXPECT_LT(largest_difference(after_one_step(rule_with({{&kAnglePrimitive, 1.0}}), {.rule = Sgd{}}, 0.1),
                               numbers("0.18 -0.35 ; 0.01 0.5 ; -0.53 0.35")),
            kVectors);
}

TEST(Vectors, FirstStepOfAdam) {
  constexpr double kRate = 0.01;
  for (const RuleCase& c : rule_cases()) {
    const std::vector<double> before = numbers(kB), descended = numbers(c.after);
    const std::vector<double> after = after_one_step(c.rule, {.rule = Adam{.epsilon_inside = true}}, kRate);
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      ASSERT_NE(descended[i], before[i]);
      // epsilon takes rate epsilon / (sqrt(0.001) |gradient|) off the step: 1e-8 where gradients are above 0.3.
      const double gradient = std::fabs(descended[i] - before[i]) / 0.1;
      const double step = descended[i] > before[i] ? kRate : -kRate;
      EXPECT_NEAR(after[i], before[i] + step, std::max(1e-8, 1e-8 * 0.32 / gradient)) << c.name << " " << i;
    }
  }
}

// Inputs whose mean x x^T is 0.49 I, exactly: the axes, stretched.
TEST(Vectors, FixedPoints) {
  const double side = 0.7 * std::sqrt(3.0);
  for (const auto& [rule, fixed] :
       {std::pair{rule_with({{&kAmpPrimitive, 2.0}, {&kDecayPrimitive, 0.5}, {&kNullPrimitive, 0.25}}),
                  "0.78078728 1.69336139 ; -1.4642245 0.81423067 ; 0.35794362 -0.55363712"},
        std::pair{rule_with({{&kAmpPrimitive, 2.0}, {&kDecayPrimitive, 0.5}}),
                  "0.98 2.94 ; -1.96 1.47 ; 0.49 -0.98"}}) {
    AlignedLayer layer(dense(3), rule);
    layer.set("weight", numbers(kW));
    layer.set("x", {side, 0, 0, 0, side, 0, 0, 0, side});
    std::vector<double> b = numbers(kB);
    for (int step = 0; step < 200; ++step) {  // the slowest part shrinks by 1 - 0.5 * 0.5 in each
      layer.set("weight_backward", b);
      const std::vector<double> g = layer.gradient();
      for (std::size_t i = 0; i < b.size(); ++i) b[i] -= 0.5 * g[i];
    }
    EXPECT_LT(largest_difference(b, numbers(fixed)), 1e-8);  // eight decimals
  }
}

}  // namespace
}  // namespace chiasm::test

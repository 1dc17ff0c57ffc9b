// SPDX-License-Identifier: Apache-2.0
// Section 4.3 of spec/learning_rules.md: what rules are equal to, and where they end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/ops.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/elementwise/map.h"
#include "kernels/indexing/transpose.h"
#include "kernels/reduction/sum.h"
#include "learning_rules/primitives/primitives.h"
#include "tests/support/aligned_layer.h"
#include "tests/support/learning_run.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

constexpr double kExact = 1e-12;  // a few dozen terms of size 1 in double

const LayerSetting kDense{.x = {6, 5}, .weight = {5, 3}};

// The gradient with respect to B of `loss`, at the values of the layer.
std::vector<double> gradient_at(const AlignedLayer& layer,
                                const std::function<Value(Value x, Value w, Value b)>& loss) {
  Graph graph;
  const auto state = [&](const char* name) { return graph.state(name, Spec{DType::kFloat64, layer.shape_of(name)}); };
  const Value x = state("x"), w = state("weight"), b = state("weight_backward");
  graph.output("gradient", gradients(loss(x, w, b), std::vector<Value>{b})[0]);
  Program program(graph, {.threads = 1});
  for (const char* name : {"x", "weight", "weight_backward"}) {
    program.bind(name, Tensor::of<double>(layer.shape_of(name), layer.get(name)));
  }
  program.run();
  return values_of(program.output("gradient"));
}

Value times(Value x, Value matrix) { return linear(x, {matrix, matrix}); }
Value transposed(Value m) { return m.graph().apply(Transpose{{1, 0}}, {m}); }

TEST(Identities, InformationAlignmentIsARegularisedAutoencoder) {
  AlignedLayer layer(kDense, rule_with({{&kAmpPrimitive, 1.0}, {&kNullPrimitive, 1.0}, {&kDecayPrimitive, 0.3}}));
  const std::vector<double> autoencoder = gradient_at(layer, [](Value x, Value w, Value b) {
    return affine(squared_norm(x - times(times(x, w), transposed(b))), 0.5 / 6.0, 0.0) +
           affine(squared_norm(b), 0.15, 0.0);
  });
  EXPECT_LT(largest_difference(layer.gradient(), autoencoder), kExact);
}

TEST(Identities, SymmetricAlignmentIsTheDistanceOfTheWeights) {
  AlignedLayer layer(kDense, rule_with({{&kDecayPrimitive, 1.0}, {&kSelfPrimitive, 1.0}}));
  const std::vector<double> distance =
      gradient_at(layer, [](Value, Value w, Value b) { return affine(squared_norm(w - b), 0.5, 0.0); });
  EXPECT_LT(largest_difference(layer.gradient(), distance), kExact);
}

TEST(Identities, ActivationAlignmentIsTheDistanceOfTheProjections) {
  AlignedLayer layer(kDense, rule_with({{&kAmpPrimitive, 1.0}, {&kSparsePrimitive, 1.0}}));
  const std::vector<double> distance = gradient_at(
      layer, [](Value x, Value w, Value b) { return affine(squared_norm(times(x, w) - times(x, b)), 0.5 / 6.0, 0.0); });
  EXPECT_LT(largest_difference(layer.gradient(), distance), kExact);
}

// Of batches whose mean x x^T is any matrix C, here that of random inputs.
TEST(Identities, FixedPointsUnderAnyCovariance) {
  struct Case {
    const char* name;
    LearningRule rule;
    // What is equal to what at the fixed point, of B and what is kept: C W^T, C B, B W C W^T.
    std::function<double(double b, double w, double cw, double cb, double by)> rest;
  };
  const std::vector<Case> cases{
      {"WM", rule_with({{&kAmpPrimitive, 2.0}, {&kDecayPrimitive, 0.5}}),
       [](double b, double, double cw, double, double) { return b - 4.0 * cw; }},
      {"IA", rule_with({{&kAmpPrimitive, 2.0}, {&kDecayPrimitive, 0.5}, {&kNullPrimitive, 0.25}}),
       [](double b, double, double cw, double, double by) { return 0.5 * b + 0.25 * by - 2.0 * cw; }},
      {"SA", rule_with({{&kSelfPrimitive, 1.5}, {&kDecayPrimitive, 0.5}}),
       [](double b, double w, double, double, double) { return b - 3.0 * w; }},
      {"AA", rule_with({{&kAmpPrimitive, 1.0}, {&kSparsePrimitive, 2.0}}),
       [](double, double, double cw, double cb, double) { return cb - 0.5 * cw; }}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    AlignedLayer layer(kDense, c.rule);
    std::vector<double> b = layer.get("weight_backward");
    for (int step = 0; step < 20'000; ++step) {
      const std::vector<double> g = layer.gradient();
      if (largest(g) < 1e-13) break;
      for (std::size_t i = 0; i < b.size(); ++i) b[i] -= 0.5 * g[i];
      layer.set("weight_backward", b);
    }
    const std::vector<double> x = layer.get("x"), w = layer.get("weight");
    const auto product_with_covariance = [&](const std::vector<double>& m) {
      std::vector<double> result(15, 0.0);
      for (std::size_t n = 0; n < 6; ++n) {
        for (std::size_t o = 0; o < 3; ++o) {
          double y = 0.0;
          for (std::size_t i = 0; i < 5; ++i) y += x[5 * n + i] * m[3 * i + o];
          for (std::size_t i = 0; i < 5; ++i) result[3 * i + o] += x[5 * n + i] * y / 6.0;
        }
      }
      return result;
    };
    const std::vector<double> cw = product_with_covariance(w), cb = product_with_covariance(b);
    double rest = 0.0;
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t o = 0; o < 3; ++o) {
        double by = 0.0;  // (B W C W^T)_io = sum_k B_ik (W C W^T)_ko
        for (std::size_t k = 0; k < 3; ++k) {
          double covariance = 0.0;
          for (std::size_t j = 0; j < 5; ++j) covariance += w[3 * j + k] * cw[3 * j + o];
          by += b[3 * i + k] * covariance;
        }
        rest = std::max(rest, std::fabs(c.rest(b[3 * i + o], w[3 * i + o], cw[3 * i + o], cb[3 * i + o], by)));
      }
    }
    EXPECT_LT(rest, 1e-11);
    EXPECT_GT(largest(b), 0.1);
  }
}

// The images along plus and minus each axis, of a length that makes the mean x x^T equal to s^2 I, and the mean
// x relu(w x) to s^2 w / 2, as of any symmetric distribution.
std::vector<double> axes(std::int64_t elements, double s) {
  std::vector<double> x(static_cast<std::size_t>(2 * elements * elements), 0.0);
  const double length = s * std::sqrt(static_cast<double>(elements));
  for (std::int64_t e = 0; e < elements; ++e) {
    x[static_cast<std::size_t>(e * elements + e)] = length;
    x[static_cast<std::size_t>((elements + e) * elements + e)] = -length;
  }
  return x;
}

const LearningRule kMirror = rule_with({{&kAmpPrimitive, 2.0}, {&kDecayPrimitive, 0.5}});
const LearningRule kRectifiedMirror = rule_with({{&kAmpPrimitive, 2.0}, {&kDecayPrimitive, 0.5}}, {"fo_relu"});
constexpr double kS = 0.7;

// What the gradient vanishes at, since it is 0.5 B minus something that does not depend on B.
std::vector<double> mirror_fixed_point(AlignedLayer& layer) {
  layer.set("weight_backward", std::vector<double>(layer.get("weight_backward").size(), 0.0));
  std::vector<double> b = layer.gradient();
  for (double& v : b) v /= -0.5;
  layer.set("weight_backward", b);
  EXPECT_LT(largest(layer.gradient()), kExact * (1.0 + largest(b)));
  return b;
}

TEST(Identities, TheMirrorOfWhiteInputIsAScaledTranspose) {
  LayerSetting setting{.x = {10, 5}, .weight = {5, 3}, .activation = make_op(Map<Relu>{})};
  for (const auto& [rule, half] : {std::pair{kMirror, 1.0}, std::pair{kRectifiedMirror, 0.5}}) {
    AlignedLayer layer(setting, rule);
    layer.set("x", axes(5, kS));
    std::vector<double> expected = layer.get("weight");
    for (double& v : expected) v *= half * 2.0 * kS * kS / 0.5;
    EXPECT_LT(largest_difference(mirror_fixed_point(layer), expected), kExact);
  }
}

// How many of `out` windows have tap a inside the image.
double positions(std::int64_t in, std::int64_t out, std::int64_t stride, std::int64_t before, std::int64_t a) {
  double count = 0;
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t at = i * stride - before + a;
    count += at >= 0 && at < in ? 1 : 0;
  }
  return count;
}

TEST(Identities, TheMirrorOfAConvolutionCountsThePositionsOfEachTap) {
  struct Case {
    std::int64_t side, stride, out, before;
    Padding2d padding;
  };
  for (const Case& c : {Case{5, 1, 5, 1, Padding2d::same()}, Case{5, 2, 3, 1, Padding2d::all(1)},
                        Case{6, 1, 4, 0, Padding2d::valid()}}) {
    const std::int64_t elements = c.side * c.side * 2;
    LayerSetting setting{.op = make_op(Conv2d{.stride = {c.stride, c.stride}, .padding = c.padding}),
                         .x = {2 * elements, c.side, c.side, 2},
                         .weight = {3, 3, 2, 3},
                         .activation = make_op(Map<Relu>{})};
    for (const auto& [rule, half] : {std::pair{kMirror, 1.0}, std::pair{kRectifiedMirror, 0.5}}) {
      AlignedLayer layer(setting, rule);
      layer.set("x", axes(elements, kS));
      std::vector<double> expected = layer.get("weight");
      for (std::int64_t a = 0; a < 3; ++a) {
        for (std::int64_t b = 0; b < 3; ++b) {
          const double seen =
              positions(c.side, c.out, c.stride, c.before, a) * positions(c.side, c.out, c.stride, c.before, b);
          if (a == 1 && b == 1) {
            EXPECT_EQ(seen, static_cast<double>(c.out * c.out));  // an interior tap
          }
          for (std::int64_t k = 0; k < 6; ++k) {
            expected[static_cast<std::size_t>((3 * a + b) * 6 + k)] *= half * seen * 2.0 * kS * kS / 0.5;
          }
        }
      }
      EXPECT_LT(largest_difference(mirror_fixed_point(layer), expected), kExact * largest(expected)) << c.side;
    }
  }
}

// The same by noise, in training: the norms of backward weights of a frozen network end where the identity says, at
// other places in each layer.
TEST(Identities, NormsUnderTheMirrorAreThoseOfEachLayersMap) {
  const auto network = [](const Scope& scope) {
    const Value image = scope.graph().input("image", Spec{scope.dtype(), {16, 8, 8, 1}});
    const Conv2d inside{.padding = Padding2d::valid()};
    Value x = relu(conv2d(image, scope.weight("early", {3, 3, 1, 3}, Initialiser::uniform(0.5)), inside));
    x = conv2d(x, scope.weight("late", {3, 3, 3, 2}, Initialiser::uniform(0.5)),
               {.stride = {3, 3}, .padding = Padding2d::valid()});
    return scope.graph().apply(Sum{},
                               {linear(reshape(x, {16, 8}), scope.weight("top", {8, 3}, Initialiser::uniform(1.0)))});
  };
  Learning learning{.rule = kRectifiedMirror, .optimizer = {.rule = Sgd{}}};
  learning.rule.noise = {InputNoise::Kind::kNormal, kS};
  learning.phases = {.alternate = true, .off_phase = PhasePlan::OffPhase::kFreeze};
  LearningRun run(network, learning);
  const std::map<std::string, Tensor> inputs{{"image", random_tensor(DType::kFloat64, {16, 8, 8, 1}, 1)}};
  const std::map<std::string, double> map{{"early", 36.0 / 2.0}, {"late", 4.0}, {"top", 1.0}};
  std::map<std::string, std::vector<double>> mean;
  constexpr int kBegin = 400, kSteps = 4400;
  for (int step = 0; step < kSteps; ++step) {
    run.step(Phase::kAlignment, {.alignment = 0.04}, inputs);
    if (step < kBegin) continue;  // 0.98 each step: 3e-4 of the start is left
    for (const auto& [layer, factor] : map) {
      const std::vector<double> b = run.get(backward_weight_name(layer));
      mean[layer].resize(b.size());
      for (std::size_t i = 0; i < b.size(); ++i) mean[layer][i] += b[i] / (kSteps - kBegin);
    }
  }
  for (const auto& [layer, factor] : map) {
    const std::vector<double> w = run.get(layer);
    double bw = 0.0, ww = 0.0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      bw += mean[layer][i] * w[i];
      ww += w[i] * w[i];
    }
    // 4000 batches of 16 samples: products of two normal numbers vary by about their mean, which 64,000 samples bring
    // to 0.4%; four times that, and what the few elements of "top" add.
    EXPECT_NEAR(bw / ww / (factor * 2.0 * kS * kS / 0.5), 1.0, 0.02) << layer;
  }
}

TEST(Identities, NullIsTheCorrectionOfOjasRule) {
  // One output whose weight is the backward weight: y = B^T x.
  AlignedLayer layer({.x = {1, 4}, .weight = {4, 1}}, rule_with({{&kNullPrimitive, 1.0}}));
  std::vector<double> b = layer.get("weight_backward");
  double norm = 0.0;
  for (double v : b) norm += v * v;
  for (double& v : b) v /= std::sqrt(norm);
  layer.set("weight", b);
  layer.set("weight_backward", b);
  const std::vector<double> x = layer.get("x"), correction = layer.gradient();
  double y = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) y += b[i] * x[i];
  for (std::size_t i = 0; i < b.size(); ++i) EXPECT_NEAR(correction[i], b[i] * y * y, 1e-14);
  // Normalised after a Hebbian step of eta x y, B is B + eta (x y - null) up to eta^2.
  const auto error = [&](double eta) {
    std::vector<double> hebb = b;
    double length = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i) hebb[i] += eta * x[i] * y;
    for (double v : hebb) length += v * v;
    double worst = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i) {
      worst = std::max(worst, std::fabs(hebb[i] / std::sqrt(length) - b[i] - eta * (x[i] * y - correction[i])));
    }
    return worst;
  };
  EXPECT_NEAR(error(1e-3) / error(5e-4), 4.0, 0.01);
  EXPECT_LT(error(1e-3), 1e-5);
}

}  // namespace
}  // namespace chiasm::test

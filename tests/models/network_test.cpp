// SPDX-License-Identifier: Apache-2.0
// Sizes of the published networks (spec/convrnn.md 4.1, 4.4), from the recipes as they are shipped.
#include "models/network.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

Network shipped(const std::string& name) { return read_network(shipped_recipe(name).root().object("model")); }

TEST(RgcMedian, HasThePublishedSize) {
  const NetworkSummary s = summarise(shipped("rgc_median"));
  EXPECT_EQ(s.parameters, 15'445'800);
  EXPECT_EQ(s.units, 2'421'992);
  const std::int64_t expected[] = {
      7 * 7 * 3 * 64 + 64,
      9 * 64 * 128 + 128,
      9 * 128 * 128 + 128,
      147'584 + 32'832 + 7'296 + 14'528 + 147'584 + 22'784 + 11'456,
      147'584 + 32'832 + 7'296 + 14'528 + 147'584 + 22'784 + 11'456 + 32'896,
      295'168 + 65'600 + 7'296 + 28'992 + 590'080 + 78'336 + 19'776 + 32'768 + 196'864,
      590'080 + 65'600 + 7'296 + 28'992 + 590'080 + 78'336 + 19'776 + 131'328,
      590'080 + 65'600 + 7'296 + 28'992 + 590'080 + 78'336 + 19'776,
      1'180'160 + 131'136 + 7'296 + 57'920 + 2'359'808 + 287'744 + 36'416 + 131'072 + 262'656,
      2'359'808 + 131'136 + 7'296 + 57'920 + 2'359'808 + 287'744 + 36'416,
      513'000,
  };
  ASSERT_EQ(s.layers.size(), std::size(expected));
  for (std::size_t i = 0; i < s.layers.size(); ++i) {
    EXPECT_EQ(s.layers[i].parameters, expected[i]) << s.layers[i].name;
    EXPECT_EQ(s.layers[i].arrival_step, static_cast<int>(i));
  }
  EXPECT_EQ(s.layers[0].output, (Shape{56, 56, 64}));
  EXPECT_EQ(s.layers[6].output, (Shape{7, 7, 256}));
  EXPECT_EQ(s.layers[9].output, (Shape{4, 4, 512}));
}

TEST(RgcShallow, HasThePublishedSize) {
  const NetworkSummary s = summarise(shipped("rgc_shallow"));
  EXPECT_EQ(s.parameters, 23'956'840);
  EXPECT_EQ(s.units, 1'481'192);
  EXPECT_EQ(s.layers[4].output, (Shape{4, 4, 512}));
}

// Initialisation draws kernels of the published standard deviation (spec 9.2): 3x3x128 with scale 1 gives 0.02946.
TEST(RgcMedian, StartsWithThePublishedSpread) {
  Graph graph;
  Parameters parameters;
  const Network network = shipped("rgc_median");
  const Scope scope(graph, parameters);
  Presentation p = network.presentation;
  p.steps = 2;
  unroll(network.graph, p, scope, graph.input("image", Spec{DType::kFloat32, {1, 224, 224, 3}}));
  parameters.initialise(0);
  const auto deviation = [&](const std::string& name) {
    double sum = 0.0, squares = 0.0;
    const auto values = parameters.tensors().at(name).values<float>();
    for (float v : values) {
      sum += v;
      squares += static_cast<double>(v) * v;
    }
    const auto n = static_cast<double>(values.size());
    return std::sqrt(squares / n - sum / n * sum / n);
  };
  // n = 147456 draws: the relative standard error of a deviation is about 1 / sqrt(2 n) = 0.2 %; 1 % is five of them.
  EXPECT_NEAR(deviation("conv3/conv/weight"), 0.02946, 0.01 * 0.02946);
  EXPECT_NEAR(deviation("conv1/conv/weight"), 0.08248, 0.02 * 0.08248);
  EXPECT_NEAR(deviation("readout/linear/weight"), 0.01, 0.01 * 0.01);
  EXPECT_EQ(parameters.tensors().at("readout/linear/bias").values<float>()[5], 1.0f);
  // Depthwise fans come from k x k x C: fan_in = 49 * 64.
  EXPECT_NEAR(deviation("conv4/cell/cell_tau/depthwise"), std::sqrt(0.6393378386273998 / (49 * 64)), 0.05 * 0.0143);
}

}  // namespace
}  // namespace chiasm::test

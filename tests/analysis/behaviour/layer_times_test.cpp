// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/layer_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace chiasm {
namespace {

using Units = std::vector<std::int64_t>;

TEST(LayerTimes, UniformGivesEachLayerItsShareOfTheBins) {
  const Units units{3, 2, 1};
  std::vector<std::size_t> layers;
  for (const LayersOfBin& bin : uniform_layer_times(units, 7)) {
    ASSERT_EQ(bin.size(), 1u);
    EXPECT_EQ(std::ssize(bin[0].units), units[bin[0].layer]);
    layers.push_back(bin[0].layer);
  }
  EXPECT_EQ(layers, (std::vector<std::size_t>{0, 0, 0, 1, 1, 2, 2}));
  const Units nineteen(19, 5);
  for (std::size_t b = 0; b < 19; ++b) EXPECT_EQ(uniform_layer_times(nineteen, 19)[b][0].layer, b);
}

TEST(LayerTimes, GradedMovesUnitsFromLayerToLayer) {
  const Units units{100, 40, 60};
  const auto bins = graded_layer_times(units, 19, 3);
  ASSERT_EQ(bins.size(), 19u);
  // A layer's own bin holds all of it.
  for (const auto& [bin, layer] : {std::pair<std::size_t, std::size_t>{0, 0}, {9, 1}, {18, 2}}) {
    ASSERT_EQ(bins[bin].size(), 1u);
    EXPECT_EQ(bins[bin][0].layer, layer);
    EXPECT_EQ(std::ssize(bins[bin][0].units), units[layer]);
  }
  for (std::size_t bin = 1; bin < 9; ++bin) {
    ASSERT_EQ(bins[bin].size(), 2u);
    const double share = static_cast<double>(bin) / 9.0;
    EXPECT_EQ(std::ssize(bins[bin][0].units), std::llround(100 * (1 - share)));
    EXPECT_EQ(std::ssize(bins[bin][1].units), std::llround(40 * share));
    // Who has left does not come back; who has come stays.
    EXPECT_TRUE(std::ranges::includes(bins[bin - 1][0].units, bins[bin][0].units));
    if (bin > 1) {
      EXPECT_TRUE(std::ranges::includes(bins[bin][1].units, bins[bin - 1][1].units));
    }
  }
  EXPECT_EQ(bins, graded_layer_times(units, 19, 3));
  EXPECT_NE(bins, graded_layer_times(units, 19, 4));
}

TEST(LayerTimes, OneLayerOrOneBinIsEnough) {
  EXPECT_EQ(graded_layer_times(Units{4}, 3, 0), uniform_layer_times(Units{4}, 3));
  EXPECT_EQ(graded_layer_times(Units{4, 5}, 1, 0)[0][0].layer, 0u);
  EXPECT_THROW(uniform_layer_times({}, 3), InputError);
  EXPECT_THROW(graded_layer_times(Units{4}, 0, 0), InputError);
  EXPECT_THROW(graded_layer_times(Units{4, 0}, 2, 0), InputError);
}

TEST(LayerTimes, FeaturesAreTheChosenUnitsSideBySide) {
  const CpuStream stream(1);
  const std::vector<Source<float>> layers{Source<float>(Matrix<float>(2, 3, {1, 2, 3, 4, 5, 6})),
                                          Source<float>(Matrix<float>(2, 2, {7, 8, 9, 10}))};
  const Source<float> mixed = features_of_bin<float>(layers, {{0, {0, 2}}, {1, {1}}});
  EXPECT_EQ(mixed.values(stream), Matrix<float>(2, 3, {1, 3, 8, 4, 6, 10}));
  const Source<float> whole = features_of_bin<float>(layers, {{1, {0, 1}}});
  EXPECT_EQ(&whole.values(stream), &layers[1].values(stream));  // shared, not copied
}

}  // namespace
}  // namespace chiasm

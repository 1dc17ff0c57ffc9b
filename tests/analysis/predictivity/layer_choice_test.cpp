// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/layer_choice.h"

#include <gtest/gtest.h>

#include <limits>

namespace chiasm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(LayerChoice, TakesTheLargestMedianOfWhatIsDefined) {
  EXPECT_EQ(best_layer({{.1, .2, .9}, {kNaN, .3, .25}, {.3, .1, .2}}), 1);  // medians .2, .275, .2
  EXPECT_EQ(best_layer({{kNaN}, {-.4}, {-.3}, {-.3}}), 2);
  EXPECT_EQ(best_layer({{kNaN}, {kNaN}}), -1);
  EXPECT_EQ(best_layer({}), -1);
}

TEST(LayerChoice, CountsTheUnitsThatEachLayerPredictsBest) {
  EXPECT_EQ(units_won({{.1, .2, kNaN, -.2, kNaN}, {.2, .2, kNaN, -.1, kNaN}, {0, 0, 0, -.3, kNaN}}),
            (std::vector<std::int64_t>{1, 2, 1}));
}

}  // namespace
}  // namespace chiasm

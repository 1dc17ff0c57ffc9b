// SPDX-License-Identifier: Apache-2.0
#include "models/layer_steps.h"

#include <gtest/gtest.h>

#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

Network rgc_median(int steps, int image_off, Decoder::Kind decoder) {
  const Config recipe = shipped_recipe("rgc_median");
  Network network = read_network(recipe.root().object("model"));
  network.graph.image = Shape{64, 64, 3};
  network.presentation.steps = steps;
  network.presentation.off = image_off;
  network.decoder.kind = decoder;
  return network;
}

// Spec 1.4 and 1.6: layer l is image-driven from t = l - 1 and needed until t = T - 1 - (L - l); conv1 to conv3 have no
// memory, so that one image is one step of work.
TEST(LayerSteps, OfRgcMedianAreThoseOfTheSpec) {
  constexpr int kSteps = 17, kLayers = 11;
  const LayerSteps plan =
      layer_steps(*classification(), rgc_median(kSteps, 12, Decoder::Kind::kLast), 2, "prune,share,hoist");
  ASSERT_EQ(plan.layers.size(), kLayers);
  for (int i = 0; i < kLayers; ++i) {
    for (int t = 0; t < kSteps; ++t) {
      const bool readout = i == kLayers - 1;
      LayerStep expected = LayerStep::kFullBatch;
      if (t > kSteps - kLayers + i || (readout && t < kSteps - 1)) {
        expected = LayerStep::kDropped;
      } else if (t < i) {
        expected = LayerStep::kBatchOne;
      } else if (i < 3 && t > i) {
        expected = LayerStep::kReused;
      }
      EXPECT_EQ(plan.at[i][t], expected) << plan.layers[i] << " at " << t;
    }
  }
  EXPECT_EQ(plan.naive(), 187);
  EXPECT_EQ(plan.count(LayerStep::kFullBatch), 53);
}

// Logits of the seven steps from t = 10 need the same steps of the convolutions as the last of them does: conv_l is
// seven steps of work already, from its arrival to the last that can reach the readout.
TEST(LayerSteps, ReadingAllLogitsAddsReadoutsOnly) {
  const LayerSteps last = layer_steps(*classification(), rgc_median(17, 12, Decoder::Kind::kLast), 2, "all");
  const LayerSteps all = layer_steps(*classification(), rgc_median(17, 12, Decoder::Kind::kAll), 2, "all");
  EXPECT_EQ(all.count(LayerStep::kFullBatch), last.count(LayerStep::kFullBatch) + 6);
  for (std::size_t i = 0; i + 1 < all.layers.size(); ++i) EXPECT_EQ(all.at[i], last.at[i]) << all.layers[i];
}

// Blank frames reach the readout when the unroll is long (spec 1.6): conv1 then computes the image and the blank once
// each.
TEST(LayerSteps, BlankFramesAreComputedOnceForAllSamples) {
  const LayerSteps plan = layer_steps(*classification(), rgc_median(26, 10, Decoder::Kind::kAll), 2, "all");
  EXPECT_EQ(plan.at[0][0], LayerStep::kFullBatch);
  EXPECT_EQ(plan.at[0][9], LayerStep::kReused);
  EXPECT_EQ(plan.at[0][10], LayerStep::kBatchOne);
  EXPECT_EQ(plan.at[0][11], LayerStep::kReused);
  EXPECT_EQ(plan.at[3][15], LayerStep::kFullBatch);  // conv4 remembers the image
}

TEST(LayerSteps, OfThePlainUnrollAreAll) {
  const LayerSteps plan = layer_steps(*classification(), rgc_median(17, 12, Decoder::Kind::kLast), 2, "none");
  EXPECT_EQ(plan.count(LayerStep::kFullBatch), plan.naive());
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// When the frames of a presentation reach the layers and the last logits of the released networks (spec/convrnn.md 1.4,
// 1.6 and 10): narrow versions of the recipes, run twice with other late frames.
#include <gtest/gtest.h>

#include "tests/support/compare.h"
#include "tests/support/running_network.h"

namespace chiasm::test {
namespace {

// The recipe with a small image and narrow layers, as large as its pooling and its readout allow.
Network small(const std::string& name, int image_off, double blank) {
  const bool shallow = name.ends_with("_shallow");
  Config recipe = shipped_recipe(name, {shallow ? "model.image=[68, 72, 3]" : "model.image=[36, 40, 3]"});
  narrow(recipe, 32);
  Network network = read_network(recipe.root().object("model"));
  network.presentation.off = image_off;
  network.presentation.blank = blank;
  return network;
}

RunningNetwork run(const Network& network) {
  RunningNetwork running(network);
  running.show();
  running.run();
  return running;
}

class Frames : public testing::TestWithParam<const char*> {};

// Frames from k on reach layer l (from 1) at t = k + l - 1 and not before.
TEST_P(Frames, ReachEachLayerOneStepAfterTheOneBelow) {
  constexpr int kChanged = 3;
  const Network network = small(GetParam(), kChanged, 0.5);
  const RunningNetwork a = run(network), b = run(small(GetParam(), kChanged, -0.25));
  for (std::size_t l = 0; l < network.graph.layers.size(); ++l) {
    const std::string& layer = network.graph.layers[l].name;
    const int arrival = kChanged + static_cast<int>(l);
    for (int t = 0; t <= arrival; ++t) {
      EXPECT_EQ(static_cast<bool>(bit_equal(a.at(layer, t), b.at(layer, t))), t < arrival) << layer << " at " << t;
    }
  }
}

// The last frame that the last logits can depend on is T - L: 10 of 16 in the shallow networks, 6 of 17 in the others.
TEST_P(Frames, AfterTheLastThatCountsLeaveTheLastLogitsAlone) {
  const Network network = small(GetParam(), 1, 0.5);
  const std::string readout = network.graph.readout;
  const int last = network.presentation.steps - 1;
  const int counts = last - static_cast<int>(network.graph.layers.size()) + 1;
  EXPECT_EQ(counts, std::string(GetParam()).ends_with("_shallow") ? 10 : 6);
  const auto logits = [&](int image_off, double blank) {
    return run(small(GetParam(), image_off, blank)).copy_of(readout, last);
  };
  const Tensor shown = logits(-1, 0.5);
  EXPECT_TRUE(not_vacuous(shown.view()));
  EXPECT_TRUE(bit_equal(logits(counts + 1, 0.5).view(), shown.view()));
  EXPECT_TRUE(bit_equal(logits(counts + 1, -0.25).view(), shown.view()));
  EXPECT_FALSE(bit_equal(logits(counts, 0.5).view(), shown.view()));
}

INSTANTIATE_TEST_SUITE_P(Recipes, Frames,
                         testing::Values("timedecay_shallow", "simplernn_shallow", "gru_shallow", "lstm_shallow",
                                         "ugrnn_shallow", "intersectionrnn_shallow", "rgc_shallow",
                                         "timedecay_intermediate", "simplernn_intermediate", "gru_intermediate",
                                         "lstm_intermediate", "ugrnn_intermediate", "intersectionrnn_intermediate",
                                         "rgc_intermediate"),
                         [](const auto& info) { return std::string(info.param); });

// The presentations of 1.5.
TEST(Recipes, PresentImagesAsTheStudyDid) {
  struct {
    const char* recipe;
    int steps, off;
  } const expected[] = {{"gru_shallow", 16, 12},
                        {"rgc_shallow", 16, 12},
                        {"gru_intermediate", 17, 12},
                        {"rgc_intermediate", 17, 12},
                        {"rgc_intermediate_t22", 22, -1},
                        {"ugrnn_intermediate_t30", 30, -1},
                        {"rgc_random_standin", 26, 10},
                        {"basenet6", 1, -1},
                        {"basenet11", 1, -1}};
  for (const auto& e : expected) {
    const Presentation p = read_network(shipped_recipe(e.recipe).root().object("model")).presentation;
    EXPECT_EQ(p.steps, e.steps) << e.recipe;
    EXPECT_EQ(p.off, e.off) << e.recipe;
    EXPECT_EQ(p.blank, 0.5) << e.recipe;
  }
}

// The minimal T of 1.5 and the decoders of 4.5.
TEST(Recipes, UnrollMinimallyAndDecideAsTheStudyDid) {
  const auto network = [](const std::string& name) {
    return read_network(shipped_recipe(name).root().object("model"));
  };
  EXPECT_EQ(network("rgc_shallow_minimal").presentation.steps, 7);
  EXPECT_EQ(network("rgc_median_minimal").presentation.steps, 12);
  EXPECT_EQ(network("rgc_random_standin_minimal").presentation.steps, 12);
  for (const char* name : {"rgc_intermediate_threshold", "ugrnn_intermediate_t30_threshold"}) {
    EXPECT_EQ(network(name).decoder.kind, Decoder::Kind::kThreshold) << name;
    EXPECT_EQ(network(name).decoder.threshold, 0.9) << name;
  }
  for (const char* name :
       {"rgc_intermediate_max_confidence", "ugrnn_intermediate_t30_max_confidence", "rgc_intermediate_t22"}) {
    EXPECT_EQ(network(name).decoder.kind, Decoder::Kind::kMaxConfidence) << name;
    EXPECT_EQ(network(name).decoder.beta, 1.0) << name;
  }
  EXPECT_EQ(network("rgc_intermediate").decoder.kind, Decoder::Kind::kLast);
}

}  // namespace
}  // namespace chiasm::test

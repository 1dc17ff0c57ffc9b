// SPDX-License-Identifier: Apache-2.0
#include "tools/run_folder/alignment_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/file_corpus.h"
#include "tests/support/process.h"

namespace chiasm {
namespace {

// The log of training writes these, under these names.
TEST(AlignmentLog, HasTheNumbersThatTrainingLogs) {
  const LayerAlignment layer{.path = "conv1/weight",
                             .weight_angle = 1,
                             .projection_angle = 2,
                             .gradient_angle = 3,
                             .norm_ratio = 4,
                             .symmetric_energy = 5,
                             .skew_energy = 6};
  const auto logged = alignment_numbers(layer);
  ASSERT_EQ(logged.size(), alignment_metrics().size());
  for (std::size_t i = 0; i < logged.size(); ++i) {
    EXPECT_EQ(alignment_metrics()[i].key, logged[i].first);
    EXPECT_EQ(layer.*alignment_metrics()[i].value, logged[i].second);
  }
}

TEST(AlignmentLog, ALineIsReadByLayer) {
  const MetricsLine line{7,
                         {{"epoch", 0.5},
                          {"weight_angle/b/cell/tau/weight", 80},
                          {"norm_ratio/a/weight", 2},
                          {"loss/train", 3},
                          {"weight_angle/a/weight", 40}}};
  const std::vector<LayerAlignment> layers = alignment_of(line);
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].path, "b/cell/tau/weight");
  EXPECT_EQ(layers[0].weight_angle, 80);
  EXPECT_TRUE(std::isnan(layers[0].norm_ratio));
  EXPECT_EQ(layers[1].weight_angle, 40);
  EXPECT_EQ(layers[1].norm_ratio, 2);
  EXPECT_TRUE(std::isnan(layers[1].gradient_angle));
  EXPECT_TRUE(alignment_of({1, {{"loss", 1.0}, {"learning_rate", 0.1}}}).empty());
  EXPECT_EQ(layer_name("b/cell/tau/weight"), "b/cell/tau");
  EXPECT_EQ(layer_name("weights"), "weights");
}

TEST(AlignmentLog, TheLastLineCounts) {
  const test::TempFolder folder;
  EXPECT_TRUE(final_alignment(folder.path()).empty());
  test::write_text(folder / "metrics.jsonl", "{\"step\": 1, \"loss\": 2}\n");
  EXPECT_TRUE(final_alignment(folder.path()).empty());
  test::write_text(folder / "metrics.jsonl",
                   "{\"step\": 1, \"weight_angle/a/weight\": 90}\n{\"step\": 2, \"loss\": 2}\n"
                   "{\"step\": 3, \"epoch\": 1, \"weight_angle/a/weight\": 30, \"norm_ratio/a/weight\": null}\n"
                   "{\"step\": 3, \"test_loss\": 2}\n{\"step\": 4, \"weight_angle/a/weig");
  const std::vector<LayerAlignment> layers = final_alignment(folder.path());
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(layers[0].weight_angle, 30);
  EXPECT_TRUE(std::isnan(layers[0].norm_ratio));
}

}  // namespace
}  // namespace chiasm

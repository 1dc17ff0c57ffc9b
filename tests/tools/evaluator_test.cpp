// SPDX-License-Identifier: Apache-2.0
// Evaluation and training of one recipe on the same images: what an evaluation calls loss is what training makes small.
#include "tools/training/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>

#include "engine/data/memory_dataset.h"
#include "tools/training/session.h"

namespace chiasm::test {
namespace {

constexpr std::int64_t kBatch = 4, kClasses = 3;

Recipe recipe_with(const std::string& objective, bool shuffle) {
  return read_recipe(Config::parse(R"({"chiasm": 1, "name": "small",
    "data": {"format": "npy", "path": "unused", "train": {}, "test": {}, "shuffle": )" +
                                       std::string(shuffle ? "true" : "false") + R"(},
    "model": {"image": [2, 2, 1], "steps": 1, "feedforward_delay": 0, "objective": ")" +
                                       objective + R"(", "layers": [
      {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 3, "bias_init": 0.3}]}]},
    "train": {"batch": 4, "epochs": 2, "seed": 5, "dtype": "float64", "optimizer": {"type": "sgd"}, "learning_rate": 0}})",
                                   "recipe"));
}

// Samples [first, first + count) of one sequence of images.
std::shared_ptr<const Dataset> samples(std::int64_t first, std::int64_t count) {
  Tensor images(Spec{DType::kFloat32, {count, 2, 2, 1}});
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t p = 0; p < 4; ++p) {
      images.values<float>()[static_cast<std::size_t>(4 * i + p)] = std::sin(static_cast<float>(5 * (first + i) + p));
    }
    labels.push_back(static_cast<std::int32_t>((first + i) % kClasses));
  }
  return std::make_shared<MemoryDataset>(std::move(images), labels, std::vector<std::string>{"a", "b", "c"}, "images",
                                         "labels");
}

class Objectives : public testing::TestWithParam<const char*> {};

// Three batches in the order of the data; with a learning rate of zero the parameters stay.
TEST_P(Objectives, EvaluationReportsTheLossOfTraining) {
  const Recipe recipe = recipe_with(GetParam(), false);
  const ProgramOptions options{.threads = 1};
  TrainingSession session(recipe, samples(0, 3 * kBatch), options);
  for (std::int64_t batch = 0; batch < 3; ++batch) {
    Evaluator evaluator(recipe, session.parameters(), samples(batch * kBatch, kBatch), options);
    const Evaluation evaluation = evaluator.run();
    const TrainingSession::Step step = session.step();
    const double loss = evaluation.value("loss");
    EXPECT_NEAR(loss, step.loss, 1e-12) << batch;
    EXPECT_EQ(evaluation.by_step("loss"), std::vector<double>{loss});
    EXPECT_EQ(evaluation.value("top1"), score_value(step.scores, "top1"));
    // And is that of the probabilities it predicts.
    double expected = 0.0;
    for (const Prediction& p : predict(recipe, evaluator, std::vector<std::int32_t>{0, 1, 2, 3})) {
      const std::vector<double>& q = p.probability[0];
      const auto label = static_cast<std::size_t>(p.label);
      const bool sigmoid = GetParam() == std::string("sigmoid_cross_entropy");
      for (std::size_t k = 0; k < q.size(); ++k) {
        if (k == label) {
          expected -= std::log(q[k]) / kBatch;
        } else if (sigmoid) {
          expected -= std::log(1.0 - q[k]) / kBatch;
        }
      }
      if (!sigmoid) {
        EXPECT_NEAR(std::accumulate(q.begin(), q.end(), 0.0), 1.0, 1e-14);
      }
    }
    EXPECT_NEAR(loss, expected, 1e-12) << batch;
  }
}

INSTANTIATE_TEST_SUITE_P(Evaluator, Objectives, testing::Values("softmax_cross_entropy", "sigmoid_cross_entropy"),
                         [](const auto& info) { return std::string(info.param); });

// Losses of the batches of two epochs.
std::vector<double> batch_losses(bool shuffle) {
  const Recipe recipe = recipe_with("softmax_cross_entropy", shuffle);
  TrainingSession session(recipe, samples(0, 3 * kBatch), {.threads = 1});
  std::vector<double> losses;
  for (int i = 0; i < 6; ++i) losses.push_back(session.step().loss);
  return losses;
}

TEST(DataShuffle, WithoutItEveryEpochIsTheOrderOfTheData) {
  const std::vector<double> kept = batch_losses(false), shuffled = batch_losses(true);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(kept[i], kept[i + 3]);
    EXPECT_NE(shuffled[i], shuffled[i + 3]);
    EXPECT_NE(shuffled[i], kept[i]);
  }
  EXPECT_TRUE(recipe_with("softmax_cross_entropy", true).data.shuffle);
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// Evaluator: runs a network on a whole data set and scores it as its task does.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/data/batch.h"
#include "engine/program.h"
#include "tools/recipe/recipe.h"

namespace chiasm {

struct Evaluation {
  std::int64_t samples = 0;
  std::vector<Score> scores = {};

  const Score* find(std::string_view name) const { return find_score(scores, name); }
  double value(std::string_view name) const { return score_value(scores, name); }
  // Empty where the score has no course.
  std::vector<double> by_step(std::string_view name) const;
};

class Evaluator {
 public:
  // `parameters` must be allocated and outlive the evaluator; its tensors are read at each call.
  Evaluator(const Recipe& recipe, Parameters& parameters, std::shared_ptr<const Source> data,
            const ProgramOptions& options);

  Evaluation run();
  // Runs the network on samples with these indices, at most batch() of them: what it says of them is in program().
  Batch answer(std::span<const std::int32_t> indices);
  const Program& program() const { return program_; }
  const Source& data() const { return batches_.source(); }
  std::int64_t batch() const { return batch_; }

 private:
  const Recipe& recipe_;
  BatchMaker batches_;
  std::int64_t batch_;
  Program program_;
};

// What a classifier believed about one image: class probabilities [step][class].
struct Prediction {
  std::int32_t index = 0;
  std::int32_t label = 0;
  std::vector<std::vector<double>> probability;
};
// REQUIRES: the evaluator of a classification.
std::vector<Prediction> predict(const Recipe& recipe, Evaluator& evaluator, std::span<const std::int32_t> indices);

}  // namespace chiasm

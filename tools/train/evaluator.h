// SPDX-License-Identifier: Apache-2.0
// Evaluator: runs a network on a whole data set and scores its readout at every timestep.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/program.h"
#include "tools/recipe/recipe.h"

namespace chiasm {

struct Evaluation {
  std::int64_t samples = 0;
  double top1 = 0.0;                    // of the decoded readout, in [0, 1]
  double loss = 0.0;                    // the mean of the objective of its logits, in nats
  std::vector<double> decided_by_step;  // the share of images whose decision was made at each step
  std::vector<double> top1_by_step;
  std::vector<double> loss_by_step;
};

// What the network believed about one image: class probabilities [step][class].
struct Prediction {
  std::int64_t index = 0;
  std::int32_t label = 0;
  std::vector<std::vector<double>> probability;
};

class Evaluator {
 public:
  // `parameters` must be allocated and outlive the evaluator; its tensors are read at each call.
  Evaluator(const Recipe& recipe, Parameters& parameters, std::shared_ptr<const Dataset> dataset,
            const ProgramOptions& options);

  Evaluation run();
  // For images with these indices, at most one batch.
  std::vector<Prediction> predict(const std::vector<std::int64_t>& indices);
  const Program& program() const { return program_; }
  const Dataset& dataset() const { return *dataset_; }
  std::int64_t batch() const { return batch_; }

 private:
  // What the network says about one batch.
  struct Answers {
    std::vector<std::int32_t> labels;
    std::vector<double> logits;         // [step][image][class]
    std::vector<double> decoded;        // [image][class]
    std::vector<std::size_t> decision;  // [image]: the step decided at
  };
  Answers ask(const std::vector<std::int64_t>& indices);

  const Recipe& recipe_;
  std::shared_ptr<const Dataset> dataset_;
  std::int64_t batch_;
  std::int64_t classes_ = 0;
  Program program_;
};

}  // namespace chiasm

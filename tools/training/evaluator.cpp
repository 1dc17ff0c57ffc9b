// SPDX-License-Identifier: Apache-2.0
#include "tools/training/evaluator.h"

#include <algorithm>
#include <numeric>

#include "engine/data/feed.h"
#include "tools/training/device_options.h"
#include "tools/training/session.h"

namespace chiasm {
namespace {

// Large enough to keep the cores busy, small enough for memory.
constexpr std::int64_t kBatch = 100;

Program make_program(const Recipe& recipe, Parameters& parameters, std::int64_t batch, const ProgramOptions& options) {
  Program program(task_evaluation(*recipe.task, recipe.network, parameters, batch,
                                  {.dtype = recipe.train.dtype, .seed = recipe.train.seed}),
                  device_options(recipe, options));
  program.bind_all(parameters.tensors());
  return program;
}

}  // namespace

std::vector<double> Evaluation::by_step(std::string_view name) const {
  const Score* score = find(name);
  return score == nullptr ? std::vector<double>{} : score->by_step;
}

Evaluator::Evaluator(const Recipe& recipe, Parameters& parameters, std::shared_ptr<const Source> data,
                     const ProgramOptions& options)
    : recipe_(recipe),
      batches_(task_batches(recipe, std::move(data),
                            recipe.task->evaluates_augmented() ? recipe.data.train_views : recipe.data.test_views)),
      batch_(std::clamp<std::int64_t>(batches_.source().size(), 1, kBatch)),
      program_(make_program(recipe, parameters, batch_, options)) {}

Batch Evaluator::answer(std::span<const std::int32_t> indices) {
  if (indices.empty() || static_cast<std::int64_t>(indices.size()) > batch_) {
    throw InternalError("answer takes 1 to " + std::to_string(batch_) + " samples");
  }
  Batch batch = batches_.make(indices, 0);
  feed(program_, batch);
  program_.run_compute();
  return batch;
}

Evaluation Evaluator::run() {
  const std::unique_ptr<Scorer> scorer = recipe_.task->scorer(recipe_.network);
  const std::int64_t size = batches_.source().size();
  for (std::int64_t begin = 0; begin < size; begin += batch_) {
    std::vector<std::int32_t> indices(static_cast<std::size_t>(std::min(batch_, size - begin)));
    std::iota(indices.begin(), indices.end(), static_cast<std::int32_t>(begin));
    scorer->add(program_, answer(indices));
  }
  return {size, scorer->scores()};
}

std::vector<Prediction> predict(const Recipe& recipe, Evaluator& evaluator, std::span<const std::int32_t> indices) {
  const Batch batch = evaluator.answer(indices);
  const View logits = evaluator.program().output("logits");  // [T, N, classes]
  const std::int64_t rows = logits.shape()[1], steps = logits.shape()[0];
  const auto classes = static_cast<std::size_t>(logits.shape()[2]);
  const std::vector<double> values = output_rows(evaluator.program(), "logits", steps);
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    Prediction p{indices[i], batch.at("label").values<std::int32_t>()[i], {}};
    for (std::int64_t t = 0; t < steps; ++t) {
      const auto row = (static_cast<std::size_t>(t * rows) + i) * classes;
      p.probability.push_back(recipe.network.objective.probabilities(std::span(values).subspan(row, classes)));
    }
    predictions.push_back(std::move(p));
  }
  return predictions;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "tools/train/evaluator.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "tools/train/device_options.h"
#include "tools/train/session.h"

namespace chiasm {
namespace {

// Large enough to keep the cores busy, small enough for memory.
constexpr std::int64_t kBatch = 100;

Program make_program(const Recipe& recipe, Parameters& parameters, std::int64_t batch, const ProgramOptions& options) {
  Program program(build_evaluation(recipe.network, parameters, batch, {.dtype = recipe.train.dtype}),
                  device_options(recipe, options));
  program.bind_all(parameters.tensors());
  return program;
}

// Ties go to the lower class.
bool is_correct(std::span<const double> logits, std::int32_t label) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin() == label;
}

std::vector<double> as_doubles(const View& view) {
  std::vector<double> values(static_cast<std::size_t>(view.elements()));
  visit_floating(view.dtype(), [&]<class T>() { std::copy_n(view.as<T>(), view.elements(), values.begin()); });
  return values;
}

}  // namespace

Evaluator::Evaluator(const Recipe& recipe, Parameters& parameters, std::shared_ptr<const Dataset> dataset,
                     const ProgramOptions& options)
    : recipe_(recipe),
      dataset_(std::move(dataset)),
      batch_(std::clamp<std::int64_t>(dataset_->size(), 1, kBatch)),
      program_(make_program(recipe, parameters, batch_, options)) {
  classes_ = program_.output("logits").shape()[2];
  require_fitting_data(recipe, *dataset_, recipe.data.test_augmentation, classes_);
}

Evaluator::Answers Evaluator::ask(const std::vector<std::int64_t>& indices) {
  const Augmentation& augmentation = recipe_.data.test_augmentation;
  const Spec ready = augmentation.output(dataset_->image());
  Pixels image;
  std::vector<float> prepared(static_cast<std::size_t>(ready.shape.elements()));
  const MutableView input = program_.input("image");
  Answers answers;
  for (std::int64_t row = 0; row < batch_; ++row) {
    // What is missing from a last batch repeats its last image and is not counted.
    const std::size_t at = std::min(static_cast<std::size_t>(row), indices.size() - 1);
    answers.labels.push_back(dataset_->load(indices[at], image));
    augmentation.apply(image, prepared, 0, 0, static_cast<std::uint32_t>(indices[at]));
    visit_floating(input.dtype(), [&]<class T>() {
      std::copy(prepared.begin(), prepared.end(), input.as<T>() + row * ready.shape.elements());
    });
  }
  program_.run_compute();
  answers.logits = as_doubles(program_.output("logits"));
  answers.decoded = as_doubles(program_.output("decoded"));
  const Network& network = recipe_.network;
  answers.decision.assign(static_cast<std::size_t>(batch_), static_cast<std::size_t>(network.presentation.steps - 1));
  if (program_.graph().outputs().contains("decision")) {
    const std::int32_t* from = program_.output("decision").as<std::int32_t>();
    for (std::size_t i = 0; i < answers.decision.size(); ++i) {
      answers.decision[i] = static_cast<std::size_t>(network.first_decoded_step() + from[i]);
    }
  }
  return answers;
}

Evaluation Evaluator::run() {
  const auto steps = static_cast<std::size_t>(recipe_.network.presentation.steps);
  const auto classes = static_cast<std::size_t>(classes_);
  const Objective& objective = recipe_.network.objective;
  Evaluation e;
  e.top1_by_step.assign(steps, 0.0);
  e.loss_by_step.assign(steps, 0.0);
  e.decided_by_step.assign(steps, 0.0);
  for (std::int64_t begin = 0; begin < dataset_->size(); begin += batch_) {
    std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(batch_, dataset_->size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    const Answers answers = ask(indices);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const std::int32_t label = answers.labels[i];
      const std::span<const double> decided(answers.decoded.data() + i * classes, classes);
      e.top1 += is_correct(decided, label);
      e.loss += objective.loss(decided, label);
      e.decided_by_step[answers.decision[i]] += 1.0;
      for (std::size_t t = 0; t < steps; ++t) {
        const std::span<const double> logits(
            answers.logits.data() + (t * static_cast<std::size_t>(batch_) + i) * classes, classes);
        e.top1_by_step[t] += is_correct(logits, label);
        e.loss_by_step[t] += objective.loss(logits, label);
      }
    }
    e.samples += static_cast<std::int64_t>(indices.size());
  }
  const auto samples = static_cast<double>(std::max<std::int64_t>(e.samples, 1));
  e.top1 /= samples;
  e.loss /= samples;
  for (std::vector<double>* by_step : {&e.top1_by_step, &e.loss_by_step, &e.decided_by_step}) {
    for (double& sum : *by_step) sum /= samples;
  }
  return e;
}

std::vector<Prediction> Evaluator::predict(const std::vector<std::int64_t>& indices) {
  if (indices.empty() || static_cast<std::int64_t>(indices.size()) > batch_) {
    throw InternalError("predict takes 1 to " + std::to_string(batch_) + " images");
  }
  const Answers answers = ask(indices);
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    Prediction p{indices[i], answers.labels[i], {}};
    for (std::int64_t t = 0; t < recipe_.network.presentation.steps; ++t) {
      const double* row = answers.logits.data() + (t * batch_ + static_cast<std::int64_t>(i)) * classes_;
      p.probability.push_back(recipe_.network.objective.probabilities({row, static_cast<std::size_t>(classes_)}));
    }
    predictions.push_back(std::move(p));
  }
  return predictions;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "tools/training/trainer.h"

#include <algorithm>

#include "engine/batch_shape.h"
#include "engine/data/dataset.h"
#include "engine/data/feed.h"
#include "models/activity.h"
#include "tools/training/device_options.h"

namespace chiasm {
namespace {

constexpr std::int64_t kActivityBatch = 32;

}  // namespace

Trainer::Trainer(Recipe recipe, std::shared_ptr<const Source> train, std::shared_ptr<const Source> test,
                 const ProgramOptions& options)
    : recipe_(std::make_unique<const Recipe>(std::move(recipe))),
      options_(options),
      test_(std::move(test)),
      session_(*recipe_, std::move(train), options) {}

Trainer::Trainer(Recipe recipe, const ProgramOptions& options)
    : Trainer(recipe, open_source(recipe.data.train), open_source(recipe.data.test), options) {}

const Source& Trainer::test() const {
  if (test_ == nullptr) throw InputError(recipe_->name + ": the trainer was given no test data");
  return *test_;
}

std::int64_t Trainer::train(std::int64_t steps, const std::function<bool(const TrainingSession::Step&)>& each) {
  std::int64_t done = 0;
  while (done < steps && !session_.done()) {
    const TrainingSession::Step step = session_.step();
    ++done;
    if (each && !each(step)) break;
  }
  return done;
}

Evaluation Trainer::evaluate() {
  test();
  if (evaluator_ == nullptr) evaluator_ = std::make_unique<Evaluator>(*recipe_, parameters(), test_, options_);
  return evaluator_->run();
}

std::map<std::string, Tensor> Trainer::activity(std::span<const std::int32_t> samples,
                                                const std::vector<std::string>& layers, const std::string& steps) {
  const std::int64_t size = test().size();
  for (std::int32_t sample : samples) {
    if (sample < 0 || sample >= size) {
      throw InputError("sample " + std::to_string(sample) + " of test data with " + std::to_string(size) + " samples");
    }
  }
  const Network& network = recipe_->network;
  const std::vector<ActivityLayer> chosen = select_layers(network.graph, layers);
  const std::vector<int> at = select_steps(steps, network.presentation.steps);
  const auto count = static_cast<std::int64_t>(samples.size());
  const std::int64_t rows = std::clamp<std::int64_t>(count, 1, kActivityBatch);
  Program program(
      build_activity(network, parameters(), rows, chosen, at, {}, {.dtype = recipe_->train.dtype, .untied = {}}),
      device_options(*recipe_, options_));
  program.bind_all(parameters().tensors());
  const BatchMaker batches(test_, recipe_->data.test_views, std::vector<std::string>{}, recipe_->train.seed);

  std::map<std::string, Tensor> result;
  for (std::int64_t first = 0; first < count; first += rows) {
    const std::int64_t here = std::min(rows, count - first);
    feed(program, batches.make(samples.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(here)), 0));
    program.run_compute();
    for (const ActivityLayer& layer : chosen) {
      for (std::size_t s = 0; s < at.size(); ++s) {
        const View output = program.output(activity_name(layer, at[s]));
        Tensor& all = result[layer.name];
        if (!all) {
          const auto steps_kept = static_cast<std::int64_t>(at.size());
          all = Tensor(Spec{output.dtype(), with_batch(count, with_batch(steps_kept, without_batch(output.shape())))});
        }
        const std::int64_t values = output.elements() / rows;
        visit_floating(output.dtype(), [&]<class T>() {
          for (std::int64_t i = 0; i < here; ++i) {
            const std::int64_t row = (first + i) * static_cast<std::int64_t>(at.size()) + static_cast<std::int64_t>(s);
            std::copy_n(output.as<T>() + i * values, values, all.values<T>().data() + row * values);
          }
        });
      }
    }
  }
  return result;
}

void Trainer::save(const std::string& path) const {
  save_snapshot(path, session_.parameters(), session_.position(), {{"recipe", recipe_->name}});
}

void Trainer::resume(const std::string& path) { session_.resume(path); }

}  // namespace chiasm

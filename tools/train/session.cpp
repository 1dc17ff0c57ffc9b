// SPDX-License-Identifier: Apache-2.0
#include "tools/train/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/finite.h"

namespace chiasm {
namespace {

// Copies floating values into an input of either floating type.
void set_floating(Program& program, const char* name, std::span<const float> values) {
  const MutableView input = program.input(name);
  visit_floating(input.dtype(), [&]<class T>() { std::copy(values.begin(), values.end(), input.as<T>()); });
}

void set_scalar(Program& program, const char* name, double value) {
  const MutableView input = program.input(name);
  visit_any(input.dtype(), [&]<class T>() { *input.as<T>() = static_cast<T>(value); });
}

}  // namespace

void require_fitting_data(const Recipe& recipe, const Dataset& data, const Augmentation& augmentation,
                          std::int64_t network_classes) {
  const Spec image = augmentation.output(data.image());
  if (image.shape != recipe.network.graph.image) {
    throw InputError(recipe.source.root().origin() + ": model.image is " + to_string(recipe.network.graph.image) +
                     ", and the data has images " + to_string(image.shape));
  }
  if (data.classes() > network_classes) {
    throw InputError(recipe.source.root().origin() + ": the readout has " + std::to_string(network_classes) +
                     " outputs, and the data has " + std::to_string(data.classes()) + " classes");
  }
  if (data.size() == 0) throw InputError(recipe.source.root().origin() + ": the data set is empty");
}

std::string memory_note(const Program& program, const ProgramOptions& options) {
  if (options.memory_bytes == 0 || program.arena_bytes() <= options.memory_bytes) return "";
  return fmt::format("--memory: {:.1f} MB is the least that was found for a step, {:.1f} MB were asked for\n",
                     static_cast<double>(program.arena_bytes()) / 1e6, static_cast<double>(options.memory_bytes) / 1e6);
}

TrainingSession::TrainingSession(const Recipe& recipe, std::shared_ptr<const Dataset> data,
                                 const ProgramOptions& options)
    : recipe_(recipe), data_(std::move(data)) {
  const TrainRecipe& train = recipe.train;
  if (data_->size() < train.batch) {
    throw InputError(recipe.source.root().origin() + ": train.batch is " + std::to_string(train.batch) +
                     ", and the training set has " + std::to_string(data_->size()) + " samples");
  }
  const Graph graph = build_training_step(recipe.network, parameters_, train.batch, train.optimizer,
                                          {.dtype = train.dtype, .seed = train.seed, .passes = options.passes});
  require_fitting_data(recipe, *data_, recipe.data.train_augmentation,
                       graph.spec(graph.outputs().at("logits")).shape[1]);
  parameters_.initialise(train.seed);
  program_.emplace(graph, options);
  program_->bind_all(parameters_.tensors());
  start_loader();
  steps_per_epoch_ = loader_->batches_per_epoch();
  total_steps_ = train.max_steps > 0
                     ? train.max_steps
                     : std::max<std::int64_t>(1, std::llround(train.epochs * static_cast<double>(steps_per_epoch_)));
}

void TrainingSession::start_loader() {
  loader_ =
      std::make_unique<Loader>(data_, LoaderConfig{.batch_size = recipe_.train.batch,
                                                   .seed = recipe_.train.seed,
                                                   .shuffle = recipe_.data.shuffle,
                                                   .drop_last = true,
                                                   .augmentation = recipe_.data.train_augmentation,
                                                   .start = {.epoch = position_.epoch, .batch = position_.batch}});
}

void TrainingSession::resume(const std::string& snapshot) {
  position_ = load_snapshot(snapshot, parameters_);
  start_loader();
}

void TrainingSession::fill_inputs(const Batch& batch, double learning_rate) {
  set_floating(*program_, "image", batch.images.values<float>());
  program_->set_input("label", batch.labels.view());
  set_scalar(*program_, "learning_rate", learning_rate);
  const auto& inputs = program_->graph().inputs();
  if (inputs.contains("step")) set_scalar(*program_, "step", static_cast<double>(position_.step + 1));
  if (inputs.contains("epoch")) set_scalar(*program_, "epoch", static_cast<double>(batch.position.epoch));
  if (inputs.contains("sample")) program_->set_input("sample", batch.indices.view());
}

// A loss that is not finite shows in itself; a gradient that is not shows in what the updates would read.
bool TrainingSession::results_are_finite() const {
  return all_finite(program_->output("loss")) && program_->updates_are_finite();
}

TrainingSession::Step TrainingSession::step() {
  std::optional<Batch> batch = loader_->next();
  if (!batch) throw InternalError("the loader ended");
  Step result{};
  result.epoch = static_cast<double>(position_.step) / static_cast<double>(steps_per_epoch_);
  result.learning_rate = recipe_.train.schedule.rate_at(result.epoch);
  fill_inputs(*batch, result.learning_rate);
  program_->run_compute();
  if (!results_are_finite()) {
    program_->run_stepwise();  // throws, naming the node
    throw NumericalError("update", "a gradient is not finite");
  }
  const View loss = program_->output("loss");
  result.loss = visit_floating(loss.dtype(), [&]<class T>() { return static_cast<double>(*loss.as<T>()); });
  const View logits = program_->output("logits");
  const std::int64_t classes = logits.shape()[1];
  visit_floating(logits.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < logits.shape()[0]; ++i) {
      const T* row = logits.as<T>() + i * classes;
      result.top1 += std::max_element(row, row + classes) - row == batch->labels.values<std::int32_t>()[i];
    }
  });
  result.top1 /= static_cast<double>(logits.shape()[0]);
  program_->run_commit();
  ++position_.step;
  const LoaderPosition next = loader_->position();
  position_.epoch = next.epoch;
  position_.batch = next.batch;
  return result;
}

}  // namespace chiasm

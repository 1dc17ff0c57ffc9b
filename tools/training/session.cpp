// SPDX-License-Identifier: Apache-2.0
#include "tools/training/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/data/feed.h"
#include "engine/finite.h"
#include "learning_rules/idle_operations.h"
#include "learning_rules/learning_step.h"
#include "tools/training/device_options.h"

namespace chiasm {
namespace {

void set_scalar(Program& program, const std::string& name, double value) {
  const MutableView input = program.input(name);
  visit_any(input.dtype(), [&]<class T>() { *input.as<T>() = static_cast<T>(value); });
}

}  // namespace

std::vector<std::string> task_tensors(const Recipe& recipe) {
  std::vector<std::string> tensors;
  for (const auto& [name, field] : recipe.task->fields(recipe.network)) {
    if (!field.image) tensors.push_back(name);
  }
  return tensors;
}

BatchMaker task_batches(const Recipe& recipe, std::shared_ptr<const Source> data, const std::vector<ImageShow>& views) {
  const std::string origin = recipe.source.root().origin();
  if (data->size() == 0) throw InputError(origin + ": the data set is empty");
  try {
    const Source& source = *data;
    BatchMaker batches(std::move(data), views, task_tensors(recipe), recipe.train.seed);
    for (const auto& [name, wanted] : recipe.task->fields(recipe.network)) {
      const Spec& found = batches.fields().at(name).spec;
      if (found.shape != wanted.spec.shape) {
        throw InputError((wanted.image ? "model.image is " + to_string(wanted.spec.shape) + ", and the data has images "
                                       : "the " + std::string(recipe.task->kind()) + " task takes \"" + name +
                                             "\" of shape " + to_string(wanted.spec.shape) + ", and the data has ") +
                         to_string(found.shape));
      }
      if (is_floating(found.dtype) != is_floating(wanted.spec.dtype)) {
        throw InputError("the task takes \"" + name + "\" as " + std::string(name_of(wanted.spec.dtype)) +
                         ", and the data has " + std::string(name_of(found.dtype)));
      }
    }
    recipe.task->check_data(recipe.network, source, origin);
    return batches;
  } catch (const FileError&) {
    throw;
  } catch (const InputError& error) {
    throw InputError(std::string(error.what()).starts_with(origin) ? error.what() : origin + ": " + error.what());
  }
}

std::string memory_note(const Program& program, const ProgramOptions& options) {
  if (options.memory_bytes == 0 || program.arena_bytes() <= options.memory_bytes) return "";
  return fmt::format("--memory: {:.1f} MB is the least that was found for a step, {:.1f} MB were asked for\n",
                     static_cast<double>(program.arena_bytes()) / 1e6, static_cast<double>(options.memory_bytes) / 1e6);
}

TrainingSession::TrainingSession(const Recipe& recipe, std::shared_ptr<const Source> data,
                                 const ProgramOptions& options)
    : recipe_(recipe), data_(std::move(data)), options_(device_options(recipe, options)) {
  const TrainRecipe& train = recipe.train;
  if (data_->size() < train.batch) {
    throw InputError(recipe.source.root().origin() + ": train.batch is " + std::to_string(train.batch) +
                     ", and the training set has " + std::to_string(data_->size()) + " samples");
  }
  const std::map<Phase, Graph> graphs = training_steps(recipe, parameters_, train.batch, options.passes);
  parameters_.initialise(train.seed);
  for (const auto& [phase, graph] : graphs) {
    programs_.emplace(phase, Program(graph, options_)).first->second.bind_all(parameters_.tensors());
  }
  task_batches(recipe, data_, recipe.data.train_views);  // throws what does not fit
  start_loader();
  steps_per_epoch_ = loader_->batches_per_epoch();
  total_steps_ =
      train.max_steps > 0 ? train.max_steps : train.learning.phases.total_steps(train.epochs, steps_per_epoch_);
}

void TrainingSession::start_loader() {
  next_.reset();
  loader_ =
      std::make_unique<Loader>(data_, LoaderConfig{.batch_size = recipe_.train.batch,
                                                   .seed = recipe_.train.seed,
                                                   .shuffle = recipe_.data.shuffle,
                                                   .drop_last = true,
                                                   .views = recipe_.data.train_views,
                                                   .tensors = task_tensors(recipe_),
                                                   .start = {.epoch = position_.epoch, .batch = position_.batch}});
}

void TrainingSession::resume(const std::string& snapshot) {
  position_ = load_snapshot(snapshot, parameters_);
  start_loader();
}

void TrainingSession::fill_inputs(Program& program, const Batch& batch, const Step& step, std::int64_t number) {
  const Learning& learning = recipe_.train.learning;
  const auto has = [&](const std::string& name) { return program.graph().inputs().contains(name); };
  const auto set = [&](const std::string& name, double value) {
    if (has(name)) set_scalar(program, name, value);
  };
  feed(program, batch);
  set("learning_rate", step.learning_rate);
  for (const GroupConfig& config : recipe_.train.groups) {
    if (config.schedule) set(config.group.learning_rate, learning.phases.task_rate(*config.schedule, step.epoch));
  }
  for (const MovingCopy& copy : recipe_.train.copies) {
    set(copy.input(), copy.coefficient.step_at(static_cast<double>(number) / static_cast<double>(total_steps_)));
  }
  set(kAlignmentRate, step.alignment_rate);
  const PhasePlan& phases = learning.phases;
  set("step", static_cast<double>(phases.task_updates(number, steps_per_epoch_)));
  set(kAlignmentStep, static_cast<double>(phases.alignment_updates(number, steps_per_epoch_)));
  set("draw", static_cast<double>(number + 1));
  set("epoch", static_cast<double>(batch.position.epoch));
  if (has("sample")) program.set_input("sample", batch.indices.view());
  const double epochs = static_cast<double>(total_steps_) / static_cast<double>(steps_per_epoch_);
  learning.for_each_rule([&](const LearningRule& rule) {
    for (const RuleTerm& term : rule.terms) {
      set(coefficient_input(rule, *term.primitive), term.coefficient.at(step.epoch, epochs));
    }
  });
}

TrainingSession::PreparedStep TrainingSession::prepare(const RunPosition& position) {
  std::optional<Batch> batch = loader_->next();
  if (!batch) throw InternalError("the loader ended");
  const LoaderPosition next = loader_->position();
  const Learning& learning = recipe_.train.learning;
  PreparedStep made{.phase = learning.phases.at(position.step, steps_per_epoch_),
                    .step = {},
                    .batch = std::move(*batch),
                    .after = {.step = position.step + 1, .epoch = next.epoch, .batch = next.batch}};
  Step& step = made.step;
  step.task = made.phase != Phase::kAlignment;
  step.epoch = static_cast<double>(position.step) / static_cast<double>(steps_per_epoch_);
  step.learning_rate = learning.phases.task_rate(recipe_.train.schedule, step.epoch);
  step.alignment_rate = learning.phases.alignment_rate(learning.schedule, step.epoch);
  Program& program = programs_.at(made.phase);
  fill_inputs(program, made.batch, step, position.step);
  program.stage_inputs();
  return made;
}

TrainingSession::Step TrainingSession::step() {
  if (!next_) next_ = prepare(position_);
  PreparedStep now = std::move(*next_);
  next_.reset();
  Program& program = programs_.at(now.phase);
  program.run_compute();
  // On a device, the next batch is read and sent while this one is computed.
  if (program.stages_inputs() && now.after.step < total_steps_) next_ = prepare(now.after);
  // A loss that is not finite shows in itself; a gradient that is not shows in what the updates would read.
  if ((now.step.task && !all_finite(program.output("loss"))) || !program.updates_are_finite()) {
    program.run_stepwise();  // throws, naming the node
    throw NumericalError("update", "a gradient is not finite");
  }
  if (now.step.task) {
    now.step.loss = scalar_output(program, "loss");
    now.step.scores = recipe_.task->batch_scores(program, now.batch);
  }
  program.run_commit();
  position_ = now.after;
  last_step_ = now.step;
  last_batch_ = std::move(now.batch);
  return last_step_;
}

std::string TrainingSession::learning_note() {
  const Learning& learning = recipe_.train.learning;
  if (!learning.aligns()) return "";
  std::string lines;
  const Graph loss = loss_graph(recipe_, parameters_, recipe_.train.batch, options_.passes);
  for (const std::string& sentence : idle_operations(loss, learning)) lines += "note: " + sentence + "\n";
  return lines;
}

std::vector<LayerAlignment> TrainingSession::alignment() {
  const AlignmentProbe probe(loss_graph(recipe_, parameters_, recipe_.train.batch, options_.passes), parameters_,
                             recipe_.train.learning, recipe_.train.seed);
  if (probe.empty()) return {};
  // Measured seldom: its memory is not kept between measurements.
  Program program(probe.graph(), options_);
  program.bind_all(parameters_.tensors());
  fill_inputs(program, *last_batch_, last_step_, position_.step);
  program.run_compute();
  return probe.read(program);
}

}  // namespace chiasm

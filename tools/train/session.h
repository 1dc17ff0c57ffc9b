// SPDX-License-Identifier: Apache-2.0
// TrainingSession: a recipe made runnable: parameters, the program of one training step, and the loader. It knows
// nothing of run folders or terminals.
#pragma once

#include <memory>
#include <optional>

#include "engine/data/loader.h"
#include "engine/program.h"
#include "engine/snapshot.h"
#include "tools/recipe/recipe.h"

namespace chiasm {

// Says that `program` takes more memory than it was given, where it does; otherwise nothing.
std::string memory_note(const Program& program, const ProgramOptions& options);

class TrainingSession {
 public:
  // Throws InputError when the data does not fit the network (image size, number of classes).
  TrainingSession(const Recipe& recipe, std::shared_ptr<const Dataset> data, const ProgramOptions& options);

  // Continues from a snapshot. Throws FileError and changes nothing when it does not fit.
  void resume(const std::string& snapshot);

  struct Step {
    double loss;
    double top1;  // of the batch, before the update
    double learning_rate;
    double epoch;
  };
  // One training step. Throws NumericalError naming the node, and changes nothing, when the loss or a result is not
  // finite.
  Step step();

  bool done() const { return position_.step >= total_steps_; }
  std::int64_t total_steps() const { return total_steps_; }
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  const RunPosition& position() const { return position_; }
  Parameters& parameters() { return parameters_; }
  Program& program() { return *program_; }

 private:
  void start_loader();
  void fill_inputs(const Batch& batch, double learning_rate);
  bool results_are_finite() const;

  const Recipe& recipe_;
  std::shared_ptr<const Dataset> data_;
  Parameters parameters_;
  std::optional<Program> program_;
  std::unique_ptr<Loader> loader_;
  RunPosition position_;
  std::int64_t steps_per_epoch_ = 0;
  std::int64_t total_steps_ = 0;
};

// Checks that a data set gives what a network takes. Throws InputError.
void require_fitting_data(const Recipe& recipe, const Dataset& data, const Augmentation& augmentation,
                          std::int64_t network_classes);

}  // namespace chiasm

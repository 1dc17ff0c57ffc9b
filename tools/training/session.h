// SPDX-License-Identifier: Apache-2.0
// TrainingSession: a recipe made runnable: parameters, the program of one training step, and the loader. It knows
// nothing of run folders or terminals.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/data/loader.h"
#include "engine/program.h"
#include "engine/snapshot.h"
#include "learning_rules/alignment_metrics.h"
#include "tools/recipe/recipe.h"
#include "tools/training/training_steps.h"

namespace chiasm {

// Says that `program` takes more memory than it was given, where it does; otherwise nothing.
std::string memory_note(const Program& program, const ProgramOptions& options);

class TrainingSession {
 public:
  // Throws InputError when the data does not fit the network (image size, number of classes).
  TrainingSession(const Recipe& recipe, std::shared_ptr<const Source> data, const ProgramOptions& options);

  // Continues from a snapshot. Throws FileError and changes nothing when it does not fit.
  void resume(const std::string& snapshot);

  struct Step {
    bool task = true;  // whether the task was trained; in a phase of alignment alone it has no loss
    double loss = 0.0;
    std::vector<Score> scores = {};  // of the batch beside its loss, before the update
    double learning_rate = 0.0;
    double alignment_rate = 0.0;  // of backward weights
    double epoch = 0.0;           // passes through the data
  };
  // What of the learning rule is asked for in vain (learning_rules/idle_operations.h): a line each, or nothing.
  std::string learning_note();
  // One training step. Throws NumericalError naming the node, and changes nothing, when the loss or a result is not
  // finite.
  Step step();

  // How well each layer's backward weight is aligned, on the batch of the last step; empty where there is none.
  // REQUIRES: a step since the session was made.
  std::vector<LayerAlignment> alignment();

  bool done() const { return position_.step >= total_steps_; }
  std::int64_t total_steps() const { return total_steps_; }
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  const RunPosition& position() const { return position_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  // That of the phase which trains the task.
  Program& program() { return programs_.at(training_phase(recipe_)); }

 private:
  // A step that is ready to run: what goes into it, and where the run stands after it.
  struct PreparedStep {
    Phase phase;
    Step step;
    Batch batch;
    RunPosition after;
  };

  void start_loader();
  // Takes the next batch and fills the inputs of the step that begins at `position`.
  PreparedStep prepare(const RunPosition& position);
  void fill_inputs(Program& program, const Batch& batch, const Step& step, std::int64_t number);

  const Recipe& recipe_;
  std::shared_ptr<const Source> data_;
  Parameters parameters_;
  ProgramOptions options_;
  std::map<Phase, Program> programs_;  // of the phases that training has
  Step last_step_;
  std::optional<Batch> last_batch_;
  std::optional<PreparedStep> next_;  // prepared while the last one was running
  std::unique_ptr<Loader> loader_;
  RunPosition position_;
  std::int64_t steps_per_epoch_ = 0;
  std::int64_t total_steps_ = 0;
};

// Makes the batches of the recipe's training or test data, and of no other fields than its task takes. Throws
// InputError where the data does not give what the task takes, or is empty.
std::vector<std::string> task_tensors(const Recipe& recipe);
BatchMaker task_batches(const Recipe& recipe, std::shared_ptr<const Source> data, const std::vector<ImageShow>& views);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "tools/train/train_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "engine/config/composition.h"
#include "engine/io/atomic_file.h"
#include "engine/weights.h"
#include "tools/run_folder/environment.h"
#include "tools/run_folder/event_file.h"
#include "tools/run_folder/lock.h"
#include "tools/run_folder/metrics_log.h"
#include "tools/terminal/interrupt.h"
#include "tools/terminal/progress.h"
#include "tools/train/run_report.h"
#include "tools/training/evaluator.h"
#include "tools/training/session.h"

namespace chiasm {
namespace {

namespace fs = std::filesystem;

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string snapshot_folder(const std::string& run) { return run + "/snapshots"; }

std::string recipe_file(const std::string& run) { return run + "/recipe.json"; }

// The recipe of a run but for its length.
std::string without_length(const Config& recipe) {
  Config config = recipe.clone();
  config.set("train.epochs", "1");
  config.set("train.max_steps", "0");
  return config.dump();
}

// Whether `folder` holds a run that differs from `recipe` in its length alone.
bool holds_run_of_other_length(const std::string& folder, const Recipe& recipe) {
  const std::string file = recipe_file(folder);
  if (!fs::exists(file)) return false;
  const Config kept = Config::load(file), asked = Config::parse(dump_composed(recipe.source), "recipe");
  return kept.dump() != asked.dump() && without_length(kept) == without_length(asked);
}

// Makes the folder ready and returns the snapshot to start from, or "". A run to be made longer or shorter is left as
// it is: see Run.
std::string open_folder(const Recipe& recipe, const TrainRequest& request) {
  std::error_code error;
  fs::create_directories(snapshot_folder(request.out), error);
  if (error) throw SystemError("cannot create " + snapshot_folder(request.out) + ": " + error.message());
  if (!request.resume && fs::exists(recipe_file(request.out))) {
    throw InputError(request.out + " already holds a run: add --resume to go on with it, or choose another --out");
  }
  if (!holds_run_of_other_length(request.out, recipe) && !holds_run(request.out, recipe)) {
    write_file(recipe_file(request.out), dump_composed(recipe.source) + "\n");
    return "";
  }
  return list_snapshots(snapshot_folder(request.out)).empty() ? "" : newest_snapshot(request.out);
}

class Run {
 public:
  Run(const Recipe& recipe, const TrainRequest& request)
      : recipe_(recipe),
        request_(request),
        session_(recipe, open_source(recipe.data.train), request.program),
        evaluator_(recipe, session_.parameters(), open_source(recipe.data.test), request.program) {
    // What is wrong with the recipe, the data or the weights has shown before a folder is made.
    if (!request.resume) load_initial_weights();
    lock_.emplace(request.out);
    start_ = open_folder(recipe, request);
    if (!start_.empty()) {
      session_.resume(start_);
      if (holds_run_of_other_length(request.out, recipe)) change_length();
    } else if (request.resume) {
      load_initial_weights();
    }
  }

  TrainOutcome run() {
    const std::int64_t first = session_.position().step;
    record_start(request_.out, {.seed = recipe_.train.seed,
                                .threads = CpuStream(request_.program.threads).threads(),
                                .device = to_string(request_.program.device),
                                .dtype = std::string(name_of(recipe_.train.dtype)),
                                .deterministic = request_.program.deterministic,
                                .first_step = first,
                                .init = start_.empty() ? request_.init : ""});
    const std::string metrics = request_.out + "/metrics.jsonl";
    log_.emplace(first > 0 ? MetricsLog::resume(metrics, first) : MetricsLog::create(metrics));
    events_.emplace(request_.out, wall_time(), first > 0 ? std::optional(first) : std::nullopt);
    std::cerr << memory_note(session_.program(), request_.program) << session_.learning_note();
    progress_.emplace(std::cerr, Progress::Options{.label = request_.label.empty() ? recipe_.name : request_.label,
                                                   .total = session_.total_steps(),
                                                   .start = first,
                                                   .style = progress_style(2, request_.quiet),
                                                   .columns = terminal_columns(2)});
    InterruptGuard interrupt;
    while (!session_.done()) {
      step();
      if (interrupt.requested() && !session_.done()) {
        save();
        progress_->finish();
        return {.end = TrainEnd::kInterrupted, .steps = saved_ - first, .seconds = seconds_};
      }
    }
    // A run that was complete before has its last snapshot already.
    if (saved_ != session_.position().step && first != session_.position().step) save();
    progress_->finish();
    if (evaluated_ != session_.position().step) evaluation_ = evaluator_.run();
    write_run_report(recipe_, request_.out, evaluator_, evaluation_);
    return {.end = TrainEnd::kDone,
            .evaluation = evaluation_,
            .steps = session_.position().step - first,
            .seconds = seconds_};
  }

 private:
  void load_initial_weights() {
    if (!request_.init.empty()) load_weights(request_.init, session_.parameters());
  }

  // The run goes on to another end. What a schedule knows of its length is what it is from now on.
  void change_length() {
    const std::int64_t done = session_.position().step, total = session_.total_steps();
    if (total < done) {
      throw InputError(
          fmt::format("{} is at step {} already, beyond the {} steps asked for", request_.out, done, total));
    }
    write_file(recipe_file(request_.out), dump_composed(recipe_.source) + "\n");
    if (request_.quiet) return;
    std::cerr << fmt::format(
        "going on from step {} to {}; from here on the learning rate is that of a run of this length\n", done, total);
  }

  void step() {
    TrainingSession::Step s{};
    const auto begin = std::chrono::steady_clock::now();
    try {
      s = session_.step();
    } catch (const NumericalError& error) {
      progress_->finish();
      throw NumericalError(error.node(),
                           fmt::format("training stopped at step {}: {}; the last good snapshot is kept in {}",
                                       session_.position().step + 1, error.what(), snapshot_folder(request_.out)));
    }
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const std::int64_t step = session_.position().step;
    if (step % recipe_.train.log_every_steps == 0 || step == 1 || session_.done()) log_training(step, s);
    if (step % evaluation_interval() == 0 || session_.done()) evaluate(step, s.epoch);
    if (step % alignment_interval() == 0 || step == 1 || session_.done()) measure_alignment(step, s);
    if (step % recipe_.train.snapshot_every_steps == 0) save();
    if (s.task) {
      score_note_ = fmt::format("loss {:.3f}", s.loss);
      for (const Score& score : s.scores) {
        score_note_ += fmt::format("  batch {} {:.2f}", score.metric.words, score.value.value_or(0.0));
      }
    }
    progress_->update(step, score_note_ + test_note_);
  }

  void log_training(std::int64_t step, const TrainingSession::Step& s) {
    Metrics numbers{{"epoch", s.epoch}};
    if (s.task) {
      numbers.emplace_back("loss", s.loss);
      for (const Score& score : s.scores) numbers.emplace_back(score.metric.name, score.value.value_or(0.0));
    }
    numbers.emplace_back("learning_rate", s.learning_rate);
    if (recipe_.train.learning.aligns()) numbers.emplace_back("alignment_learning_rate", s.alignment_rate);
    log_->append(step, numbers);
    const double now = wall_time();
    if (s.task) {
      events_->scalar("loss/train", step, s.loss, now);
      for (const Score& score : s.scores) {
        events_->scalar(score.metric.name + "/train", step, score.value.value_or(0.0), now);
      }
    }
    events_->scalar("learning_rate", step, s.learning_rate, now);
  }

  // Throws NumericalError where a backward weight diverges.
  void measure_alignment(std::int64_t step, const TrainingSession::Step& s) {
    const std::vector<LayerAlignment> now = session_.alignment();
    if (now.empty()) return;
    Metrics numbers{{"epoch", s.epoch}};
    const double time = wall_time();
    for (const LayerAlignment& layer : now) {
      for (const auto& [name, value] : alignment_numbers(layer)) {
        numbers.emplace_back(name + "/" + layer.path, value);
        events_->scalar(numbers.back().first, step, value, time);
      }
    }
    log_->append(step, numbers);
    if (alignment_.empty()) alignment_ = now;
    const double factor = recipe_.train.learning.divergence_factor;
    const std::string why = factor > 0.0 ? divergence(alignment_, now, factor, s.alignment_rate) : "";
    if (why.empty()) return;
    progress_->finish();
    throw NumericalError("divergence",
                         fmt::format("training stopped at step {}: {}; the last good snapshot is kept in {}", step, why,
                                     snapshot_folder(request_.out)));
  }

  void evaluate(std::int64_t step, double epoch) {
    evaluation_ = evaluator_.run();
    evaluated_ = step;
    Metrics numbers{{"epoch", epoch}};
    const double now = wall_time();
    std::string words;
    test_note_.clear();
    for (const Score& score : evaluation_.scores) {
      if (!score.value) continue;
      const Metric& metric = score.metric;
      numbers.emplace_back("test_" + metric.name, *score.value);
      events_->scalar(metric.name + "/test", step, *score.value, now);
      words += fmt::format("{}test {} {}", words.empty() ? "" : ", ", metric.words, metric.show(*score.value));
      if (test_note_.empty()) test_note_ = "  test " + metric.show(*score.value);
    }
    log_->append(step, numbers);
    progress_->print_line(
        fmt::format("step {}: {} ({} {})", step, words, evaluation_.samples, recipe_.task->samples()));
  }

  std::int64_t evaluation_interval() const {
    const double steps = recipe_.train.evaluate_every_epochs * static_cast<double>(session_.steps_per_epoch());
    return std::max<std::int64_t>(1, std::llround(steps));
  }

  std::int64_t alignment_interval() const {
    const std::int64_t steps = recipe_.train.align_every_steps;
    return steps > 0 ? steps : evaluation_interval();
  }

  void save() {
    const std::string folder = snapshot_folder(request_.out);
    saved_ = session_.position().step;
    save_snapshot(folder + "/" + snapshot_name(saved_), session_.parameters(), session_.position(),
                  {{"recipe", recipe_.name}, {"chiasm", chiasm_version()}});
    std::map<std::int64_t, std::string> all = list_snapshots(folder);
    while (static_cast<std::int64_t>(all.size()) > recipe_.train.keep_snapshots) {
      fs::remove(all.begin()->second);
      all.erase(all.begin());
    }
  }

  const Recipe& recipe_;
  const TrainRequest& request_;
  TrainingSession session_;
  Evaluator evaluator_;
  std::optional<RunFolderLock> lock_;
  std::string start_;
  std::optional<MetricsLog> log_;
  std::optional<EventFile> events_;
  std::optional<Progress> progress_;
  std::string score_note_, test_note_;
  std::vector<LayerAlignment> alignment_;  // the first that was measured in this call
  std::int64_t saved_ = -1;
  double seconds_ = 0.0;
  Evaluation evaluation_;  // of the state after step evaluated_
  std::int64_t evaluated_ = -1;
};

}  // namespace

TrainOutcome train_run(const Recipe& recipe, const TrainRequest& request) { return Run(recipe, request).run(); }

bool holds_run(const std::string& folder, const Recipe& recipe) {
  const std::string file = recipe_file(folder);
  if (!fs::exists(file)) return false;
  if (Config::load(file).dump() != dump_composed(recipe.source)) {
    throw InputError(folder + " holds a run of another recipe (see " + file +
                     "): resume it with that one, or choose another --out. Only its length (--epochs, --max-steps) may "
                     "change");
  }
  return true;
}

Recipe recipe_of_run(const std::string& folder, const std::vector<std::string>& overrides) {
  if (!fs::exists(recipe_file(folder))) {
    throw InputError(folder + " is not a run folder: it has no recipe.json (chiasm train makes one)");
  }
  return load_recipe(recipe_file(folder), overrides);
}

std::string newest_snapshot(const std::string& folder) {
  const std::map<std::int64_t, std::string> all = list_snapshots(snapshot_folder(folder));
  if (all.empty()) throw InputError(folder + " has no snapshots yet");
  return all.rbegin()->second;
}

}  // namespace chiasm

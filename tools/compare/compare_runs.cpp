// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare_runs.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <new>

#include "kernels/error.h"
#include "tools/compare/compare_page.h"
#include "tools/run_folder/alignment_log.h"
#include "tools/run_folder/lock.h"
#include "tools/terminal/interrupt.h"
#include "tools/terminal/progress.h"
#include "tools/train/train_run.h"

namespace chiasm {
namespace {

namespace fs = std::filesystem;

using Status = RunResult::Status;

// What a run folder holds already, of this recipe and no other.
void take_up(const std::string& out, PlannedRun& planned) {
  const std::string folder = out + "/" + planned.run.folder;
  if (!holds_run(folder, planned.recipe)) return;
  const RunResult found = read_run_result(folder);
  if (found.status == Status::kNotRun) return;
  RunResult& result = planned.run.result;
  const RunResult checked = result;
  result = found;
  result.training_steps = checked.training_steps;
  result.train_images = checked.train_images;
  result.flops_per_step = checked.flops_per_step;
  if (result.status == Status::kDone) planned.run.alignment = final_alignment(folder);
}

class Runner {
 public:
  Runner(const CompareRequest& request, std::vector<PlannedRun>& runs, Comparison& comparison)
      : request_(request), runs_(runs), comparison_(comparison) {}

  CompareEnd run() {
    const InterruptGuard interrupt;
    comparison_.runs.clear();
    for (const PlannedRun& planned : runs_) comparison_.runs.push_back(planned.run);
    write_comparison(request_.out, comparison_);
    bool failed = false;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      RunResult& result = comparison_.runs[i].result;
      if (result.status == Status::kDone) continue;
      say(fmt::format("run {} of {}: {}{}", i + 1, runs_.size(), words(comparison_.runs[i]), time_left(i)));
      const auto begin = std::chrono::steady_clock::now();
      const std::int64_t before = result.timed_steps;
      train(i, comparison_.runs[i]);
      spent_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      spent_flops_ += static_cast<double>(result.flops_per_step * (result.timed_steps - before));
      fs::create_directories(request_.out + "/" + runs_[i].run.folder);
      write_run_result(request_.out + "/" + runs_[i].run.folder, result);
      write_comparison(request_.out, comparison_);
      if (result.status == Status::kInterrupted || interrupt.requested()) return CompareEnd::kInterrupted;
      failed = failed || result.status == Status::kFailed;
    }
    return failed ? CompareEnd::kFailed : CompareEnd::kDone;
  }

 private:
  void train(std::size_t i, ComparedRun& run) {
    RunResult& result = run.result;
    const std::string folder = request_.out + "/" + runs_[i].run.folder;
    const TrainRequest request{.out = folder,
                               .resume = fs::exists(folder + "/recipe.json"),
                               .quiet = request_.quiet,
                               .program = request_.program,
                               .label = fmt::format("[{}/{}] {}", i + 1, runs_.size(), runs_[i].run.folder)};
    result.reason.clear();
    try {
      const TrainOutcome outcome = train_run(runs_[i].recipe, request);
      result.timed_steps += outcome.steps;
      result.timed_seconds += outcome.seconds;
      result.status = outcome.end == TrainEnd::kInterrupted ? Status::kInterrupted : Status::kDone;
      result.test_images = outcome.evaluation.samples;
      if (result.status == Status::kDone) {
        result.top1 = outcome.evaluation.value("top1");
        result.loss = outcome.evaluation.value("loss");
      }
      result.top1_by_step = outcome.evaluation.by_step("top1");
      result.loss_by_step = outcome.evaluation.by_step("loss");
      if (result.status == Status::kDone) run.alignment = final_alignment(folder);
    } catch (const std::bad_alloc&) {
      result.reason = "out of memory";
    } catch (const std::exception& error) {
      result.reason = error.what();
    }
    if (result.reason.empty()) return;
    result.status = Status::kFailed;
    std::cerr << "chiasm: " << folder << " failed: " << result.reason << '\n';
  }

  static std::string words(const ComparedRun& run) {
    return fmt::format("{}{}{}, {} steps, seed {}", run.recipe, run.minimal ? ", minimal" : "",
                       run.rule.empty() ? "" : ", " + run.rule, run.steps, run.seed);
  }

  // At the rate of floating-point operations of the runs so far; nothing before the first.
  std::string time_left(std::size_t from) const {
    if (spent_flops_ == 0.0) return "";
    double flops = 0.0;
    for (std::size_t i = from; i < comparison_.runs.size(); ++i) {
      const RunResult& r = comparison_.runs[i].result;
      if (r.status == Status::kDone) continue;
      flops += static_cast<double>(r.flops_per_step) * static_cast<double>(r.training_steps - r.timed_steps);
    }
    return fmt::format("; about {} left in all", duration_words(flops * spent_seconds_ / spent_flops_));
  }

  void say(const std::string& line) const {
    if (!request_.quiet) std::cerr << line << '\n';
  }

  const CompareRequest& request_;
  std::vector<PlannedRun>& runs_;
  Comparison& comparison_;
  double spent_seconds_ = 0.0, spent_flops_ = 0.0;
};

}  // namespace

CompareEnd run_comparison(const CompareRequest& request, std::vector<PlannedRun> runs, Comparison& comparison) {
  const RunFolderLock lock(request.out);
  if (!request.resume && fs::exists(request.out + "/comparison.json")) {
    throw InputError(request.out +
                     " already holds a comparison: add --resume to go on with it, or choose another --out");
  }
  for (PlannedRun& planned : runs) {
    if (!request.resume && fs::exists(request.out + "/" + planned.run.folder)) {
      throw InputError(request.out + "/" + planned.run.folder + " exists already: choose another --out");
    }
    take_up(request.out, planned);
  }
  return Runner(request, runs, comparison).run();
}

}  // namespace chiasm

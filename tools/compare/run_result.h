// SPDX-License-Identifier: Apache-2.0
// result.json: what a comparison keeps in each of its run folders, so that its table can be made again without running
// anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chiasm {

struct RunResult {
  enum class Status { kNotRun, kInterrupted, kDone, kFailed };
  Status status = Status::kNotRun;
  std::string reason = {};  // why it failed

  std::int64_t training_steps = 0;  // in all
  std::int64_t train_images = 0;    // in the training set
  std::int64_t flops_per_step = 0;  // of a training step, after the passes
  // Training steps that were timed, and the seconds they took: fewer than all of them where a run was killed.
  std::int64_t timed_steps = 0;
  double timed_seconds = 0.0;

  // Of a run that is done, on the test images.
  std::int64_t test_images = 0;
  double top1 = 0.0, loss = 0.0;  // of the decoded readout; top1 in [0, 1], loss in nats
  std::vector<double> top1_by_step = {}, loss_by_step = {};
};

const char* word_of(RunResult::Status status);  // "not run", "interrupted", "done", "failed"

// A folder without result.json gives a run that was not run. Throws FileError when the file is not one of ours.
RunResult read_run_result(const std::string& folder);
RunResult load_run_result(const std::string& file);
// Throws SystemError.
void write_run_result(const std::string& folder, const RunResult& result);

}  // namespace chiasm

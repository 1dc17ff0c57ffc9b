// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/run_result.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/config/config.h"
#include "engine/io/atomic_file.h"

namespace chiasm {
namespace {

constexpr IntegerRange kCount{0, std::int64_t{1} << 53};
constexpr RealRange kShare{.min = 0.0, .max = 1.0};

std::string path_in(const std::string& folder) { return folder + "/result.json"; }

RunResult::Status status_of(const std::string& word) {
  for (const auto status : {RunResult::Status::kInterrupted, RunResult::Status::kDone, RunResult::Status::kFailed}) {
    if (word == word_of(status)) return status;
  }
  return RunResult::Status::kNotRun;
}

}  // namespace

const char* word_of(RunResult::Status status) {
  switch (status) {
    case RunResult::Status::kInterrupted:
      return "interrupted";
    case RunResult::Status::kDone:
      return "done";
    case RunResult::Status::kFailed:
      return "failed";
    case RunResult::Status::kNotRun:
      break;
  }
  return "not run";
}

RunResult read_run_result(const std::string& folder) {
  return std::filesystem::exists(path_in(folder)) ? load_run_result(path_in(folder)) : RunResult{};
}

RunResult load_run_result(const std::string& file) {
  RunResult r;
  const Config config = Config::load(file);
  const ConfigNode root = config.root();
  r.status = status_of(root.choice("status", {"not run", "interrupted", "done", "failed"}));
  r.reason = root.text_or("reason", "");
  r.training_steps = root.integer("training_steps", kCount);
  r.train_images = root.integer("train_images", kCount);
  r.flops_per_step = root.integer("flops_per_step", kCount);
  r.timed_steps = root.integer("timed_steps", kCount);
  r.timed_seconds = root.real("timed_seconds", RealRange::at_least(0.0));
  if (r.status == RunResult::Status::kDone) {
    r.test_images = root.integer("test_images", kCount);
    r.top1 = root.real("top1", kShare);
    r.loss = root.real("loss");
    r.top1_by_step = root.reals("top1_by_step", kShare);
    r.loss_by_step = root.reals("loss_by_step");
  }
  config.finish();
  return r;
}

void write_run_result(const std::string& folder, const RunResult& r) {
  nlohmann::ordered_json json{{"status", word_of(r.status)}};
  if (!r.reason.empty()) json["reason"] = r.reason;
  json["training_steps"] = r.training_steps;
  json["train_images"] = r.train_images;
  json["flops_per_step"] = r.flops_per_step;
  json["timed_steps"] = r.timed_steps;
  json["timed_seconds"] = r.timed_seconds;
  if (r.status == RunResult::Status::kDone) {
    json["test_images"] = r.test_images;
    json["top1"] = r.top1;
    json["loss"] = r.loss;
    json["top1_by_step"] = r.top1_by_step;
    json["loss_by_step"] = r.loss_by_step;
  }
  write_file(path_in(folder), json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace chiasm

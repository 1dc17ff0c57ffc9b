// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/run_folder/alignment_log.h"

namespace chiasm {
namespace {

// Marks the entries that no other one beats in accuracy at no greater size.
template <class Size, class Mark>
void mark_front(std::vector<Entry>& entries, Size size, Mark mark) {
  for (Entry& a : entries) {
    const auto beats = [&](const Entry& b) {
      const bool as_good = b.done > 0 && size(b) <= size(a) && b.top1 >= a.top1;
      return as_good && (size(b) < size(a) || b.top1 > a.top1);
    };
    mark(a) = a.done > 0 && std::none_of(entries.begin(), entries.end(), beats);
  }
}

bool is_of(const ComparedRun& run, const Entry& e) {
  return e.recipe == run.recipe && e.minimal == run.minimal && e.rule == run.rule;
}

// Means over the runs, layer by layer and number by number.
std::vector<LayerAlignment> mean_alignment(const std::vector<const ComparedRun*>& runs) {
  std::vector<LayerAlignment> means;
  for (const ComparedRun* run : runs) {
    for (const LayerAlignment& layer : run->alignment) {
      if (std::ranges::find(means, layer.path, &LayerAlignment::path) == means.end()) {
        means.push_back({.path = layer.path});
      }
    }
  }
  for (LayerAlignment& mean : means) {
    for (const AlignmentMetric& metric : alignment_metrics()) {
      double sum = 0.0;
      int count = 0;
      for (const ComparedRun* run : runs) {
        const auto layer = std::ranges::find(run->alignment, mean.path, &LayerAlignment::path);
        if (layer == run->alignment.end() || !std::isfinite((*layer).*metric.value)) continue;
        sum += (*layer).*metric.value;
        ++count;
      }
      mean.*metric.value = count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return means;
}

// Adds a run that is done: sums now, means in the end.
void add(Entry& entry, const ComparedRun& run) {
  const RunResult& r = run.result;
  entry.top1_min = entry.done == 0 ? r.top1 : std::min(entry.top1_min, r.top1);
  entry.top1_max = entry.done == 0 ? r.top1 : std::max(entry.top1_max, r.top1);
  ++entry.done;
  entry.top1 += r.top1;
  entry.loss += r.loss;
  entry.training_seconds += run.training_seconds();
  entry.images_per_second += run.images_per_second();
  entry.gflop_per_step = static_cast<double>(r.flops_per_step) / 1e9;
  entry.top1_by_step.resize(std::max(entry.top1_by_step.size(), r.top1_by_step.size()));
  for (std::size_t t = 0; t < r.top1_by_step.size(); ++t) entry.top1_by_step[t] += r.top1_by_step[t];
}

}  // namespace

std::vector<std::string> Budget::as_overrides() const {
  std::vector<std::string> all = overrides;
  if (epochs) {
    all.push_back(fmt::format("train.epochs={}", *epochs));
    all.push_back("train.max_steps=0");
  }
  if (max_steps) all.push_back(fmt::format("train.max_steps={}", *max_steps));
  if (train_images) all.push_back(fmt::format("data.train.limit={}", *train_images));
  if (test_images) all.push_back(fmt::format("data.test.limit={}", *test_images));
  return all;
}

std::string Budget::words() const {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (epochs) add(fmt::format("{:g} {}", *epochs, *epochs == 1.0 ? "epoch" : "epochs"));
  if (max_steps) add(fmt::format("{} training steps", *max_steps));
  if (train_images) add(fmt::format("{} training images", *train_images));
  if (test_images) add(fmt::format("{} test images", *test_images));
  for (const std::string& assignment : overrides) add(assignment);
  return text;
}

double ComparedRun::images_per_second() const {
  return result.timed_seconds > 0.0 ? static_cast<double>(result.timed_steps * batch) / result.timed_seconds : 0.0;
}

double ComparedRun::training_seconds() const {
  if (result.timed_steps == 0) return 0.0;
  return result.timed_seconds * static_cast<double>(result.training_steps) / static_cast<double>(result.timed_steps);
}

std::vector<Entry> entries_of(const Comparison& comparison) {
  std::vector<Entry> entries;
  for (const ComparedRun& run : comparison.runs) {
    auto at = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return is_of(run, e); });
    if (at == entries.end()) {
      entries.push_back({.recipe = run.recipe,
                         .minimal = run.minimal,
                         .rule = run.rule,
                         .steps = run.steps,
                         .arrival = run.arrival,
                         .parameters = run.parameters,
                         .units = run.units});
      at = entries.end() - 1;
    }
    ++at->planned;
    if (run.result.status == RunResult::Status::kDone) add(*at, run);
    if (run.result.status == RunResult::Status::kFailed) at->failures.push_back(run.result.reason);
  }
  for (Entry& entry : entries) {
    if (entry.done == 0) continue;
    std::vector<const ComparedRun*> runs;
    for (const ComparedRun& run : comparison.runs) {
      const bool done = run.result.status == RunResult::Status::kDone;
      if (done && is_of(run, entry)) runs.push_back(&run);
    }
    entry.alignment = mean_alignment(runs);
    for (double* sum : {&entry.top1, &entry.loss, &entry.training_seconds, &entry.images_per_second}) {
      *sum /= entry.done;
    }
    for (double& sum : entry.top1_by_step) sum /= entry.done;
  }
  mark_front(
      entries, [](const Entry& e) { return e.parameters; }, [](Entry& e) -> bool& { return e.front_of_parameters; });
  mark_front(
      entries, [](const Entry& e) { return e.units; }, [](Entry& e) -> bool& { return e.front_of_units; });
  return entries;
}

double mean_weight_angle(const std::vector<LayerAlignment>& alignment) {
  double sum = 0.0;
  int count = 0;
  for (const LayerAlignment& layer : alignment) {
    if (!std::isfinite(layer.weight_angle)) continue;
    sum += layer.weight_angle;
    ++count;
  }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

bool has_rules(const std::vector<Entry>& entries) {
  return std::ranges::any_of(entries, [](const Entry& e) { return !e.rule.empty(); });
}

bool compares_sizes(const std::vector<Entry>& entries) {
  const auto is_other = [&](const Entry& e) { return e.recipe != entries[0].recipe; };
  return !has_rules(entries) || std::ranges::any_of(entries, is_other);
}

bool has_alignment(const std::vector<Entry>& entries) {
  return std::ranges::any_of(entries, [](const Entry& e) { return !e.alignment.empty(); });
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/statistics/summary.h"
#include "tools/neural/ost_job.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/number_text.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t solved(const std::vector<double>& times) {
  return std::ranges::count_if(times, [](double t) { return t == t; });
}

std::vector<double> i1_of_bin(const ObjectSolutionTimes& result, std::int64_t bin) {
  std::vector<double> scores;
  for (std::int64_t i = 0; i < result.i1.rows(); ++i) scores.push_back(result.i1(i, bin));
  return scores;
}

}  // namespace

std::string json_of(const OstJob& job, const ObjectSolutionTimes& result) {
  const std::vector<std::string>& ids = job.features->stimuli().ids;
  Json images = Json::array(), scores = Json::array(), solved_by = Json::array();
  for (std::size_t i = 0; i < job.labels.size(); ++i) {
    Json row{{"id", ids.empty() ? std::to_string(i) : ids[i]},
             {"class", job.classes[static_cast<std::size_t>(job.labels[i])]}};
    if (!job.primate.i1.empty()) {
      row["ost_ms"] = result.times[i];
      row["ost_sem_ms"] = result.times_sem[i];
      row["ost_solved"] = result.times_count[i];
      row["reference_ms"] = job.primate.times.empty() ? Json() : Json(job.primate.times[i]);
    }
    const auto i1 = result.i1.row(static_cast<std::int64_t>(i));
    row["i1"] = std::vector<double>(i1.begin(), i1.end());
    images.push_back(row);
  }
  for (std::size_t bin = 0; bin < job.bins.size(); ++bin) {
    const std::vector<double> i1 = i1_of_bin(result, static_cast<std::int64_t>(bin));
    scores.push_back(
        {{"start_ms", job.config.times[bin]}, {"accuracy", result.accuracy[bin]}, {"mean_i1", summarise(i1).mean}});
    solved_by.push_back(std::ranges::count_if(result.times, [&](double t) { return t <= job.config.times[bin]; }));
  }
  Json layers = Json::array();
  for (const std::size_t layer : job.layers) layers.push_back(job.features->layers()[layer].name);
  const bool svm = job.config.readout == ObjectReadout::kSvm;
  std::vector<double> rho;
  for (const Consistency& repetition : result.consistencies) rho.push_back(repetition.rho);
  Json reference;
  if (!job.primate.times.empty()) reference = {{"solved", solved(job.primate.times)}};
  return Json{{"verb", "ost"},
              {"chiasm", chiasm_version()},
              {"features", job.features->path()},
              {"layers", layers},
              {"time", job.time},
              {"readout", svm ? "svm" : "brain-score"},
              {"images", job.labels.size()},
              {"classes", job.classes},
              {"trials", job.config.trials},
              {"splits", job.config.splits},
              {"train_per_class", svm ? Json(job.config.train_per_class) : Json()},
              {"components", svm ? Json(job.config.components) : Json()},
              {"c", svm ? Json(job.config.c) : Json()},
              {"calibration", svm ? Json(job.config.platt_folds > 0 ? "held-out" : "in-sample") : Json()},
              {"calibration_folds", svm ? Json(job.config.platt_folds) : Json()},
              {"weight_decay", svm ? Json() : Json(job.config.softmax.weight_decay)},
              {"seed", job.config.seed},
              {"bin_starts_ms", job.config.times},
              {"solved", solved(result.times)},
              {"not_solved", result.not_solved},
              {"never_tested", result.never_tested},
              {"without_threshold", result.without_threshold},
              {"consistency", job.primate.times.empty() ? Json() : Json(result.consistency.rho)},
              {"consistency_images", result.consistency.images},
              {"consistency_sem", result.consistency_sem},
              {"split_consistency", svm ? std::vector<double>() : rho},
              {"trial_consistency", svm ? rho : std::vector<double>()},
              {"distractors_left_out", result.distractors_left_out},
              {"not_converged", result.not_converged},
              {"reference", reference},
              {"bins", scores},
              {"solved_by_bin", solved_by},
              {"per_image", images}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string table_of(const OstJob& job, const ObjectSolutionTimes& result) {
  std::string out = fmt::format("{:>9} {:>10} {:>8}\n", "bin (ms)", "accuracy %", "mean I1");
  for (std::size_t bin = 0; bin < job.bins.size(); ++bin) {
    const std::vector<double> i1 = i1_of_bin(result, static_cast<std::int64_t>(bin));
    out += fmt::format("{:>9g} {:>10} {:>8}\n", job.config.times[bin], number_text(100.0 * result.accuracy[bin], 2),
                       number_text(summarise(i1).mean));
  }
  if (!job.primate.i1.empty()) {
    out += fmt::format("{} of {} images reach the primates' score, {} do not, {} were never tested, {} have none\n",
                       solved(result.times), job.labels.size(), result.not_solved, result.never_tested,
                       result.without_threshold);
  }
  if (!job.primate.times.empty()) {
    out += fmt::format("consistency {} +- {} (Spearman, mean and s.e.m. over {} {}; {} images solved by both)\n",
                       number_text(result.consistency.rho), number_text(result.consistency_sem),
                       result.consistencies.size(), job.config.readout == ObjectReadout::kSvm ? "trials" : "splits",
                       result.consistency.images);
  }
  if (result.distractors_left_out > 0) out += fmt::format("{} d' are not defined\n", result.distractors_left_out);
  if (result.not_converged > 0) out += fmt::format("{} machines did not converge\n", result.not_converged);
  return out;
}

}  // namespace chiasm

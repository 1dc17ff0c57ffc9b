// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/consistency.h"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "tools/neural/analysis_folder.h"
#include "tools/neural/fit_options.h"
#include "tools/neural/json_parts.h"
#include "tools/neural/response_options.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/interrupt.h"
#include "tools/terminal/number_text.h"
#include "tools/terminal/progress.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  ResponseOptions responses;
  FitOptions fit;
  std::string source = "pooled", time = "average", out;
  bool subsample = false, maps = false, json = false, quiet = false;
};

struct AreaConsistency {
  std::string area;
  std::vector<AnimalConsistency> animals;

  std::vector<double> all(std::vector<double> UnitScores::*member) const {
    std::vector<double> values;
    for (const AnimalConsistency& animal : animals) {
      const std::vector<double>& more = animal.scores.averaged.*member;
      values.insert(values.end(), more.begin(), more.end());
    }
    return values;
  }
};

// Recordings of each area; with --maps, the specimen "rat1:room2" is the map room2 of the animal rat1.
std::vector<std::pair<std::string, std::vector<Recording>>> recordings_of(const Options& o,
                                                                          const NeuralDataset& dataset) {
  const std::vector<std::string> names = unit_names(dataset);
  std::vector<std::pair<std::string, std::vector<Recording>>> areas;
  for (const Target& target : targets_of(dataset, parse_halving(o.responses.halves))) {
    if (areas.empty() || areas.back().first != target.area) areas.push_back({target.area, {}});
    std::string animal = target.specimen;
    const std::size_t colon = animal.rfind(':');
    if (o.maps && colon == animal.npos) {
      throw InputError("--maps: found the specimen \"" + animal + "\"; allowed are animal:map");
    }
    if (o.maps) animal.resize(colon);
    std::vector<std::string> cells;
    for (const std::int64_t unit : target.units) cells.push_back(names[static_cast<std::size_t>(unit)]);
    const bool stacked = o.time == "fixed";
    areas.back().second.push_back(
        {animal, stacked ? target.trials : target.trials.bins_averaged(0, dataset.bins()), std::move(cells)});
  }
  return areas;
}

void require_animals(const Options& o, const std::string& area, const std::vector<Recording>& recordings) {
  for (const Recording& recording : recordings) {
    if (recording.animal != recordings.front().animal) return;
  }
  const std::string& animal = recordings.front().animal;
  throw InputError(o.responses.file + ": " + (area.empty() ? "" : "area \"" + area + "\": ") +
                   "all units are of one animal" +
                   (animal.empty() ? ", or nothing says of which" : ", \"" + animal + "\"") +
                   "; consistency is between two or more (--specimen-key: where the animal of each unit is)");
}

template <class T>
std::vector<AreaConsistency> run(const Options& o, const NeuralDataset& dataset, const CpuStream& stream) {
  const auto areas = recordings_of(o, dataset);
  const auto method = make_map<T>(o.fit.map());
  ConsistencyConfig config{
      .source = o.source == "pairwise" ? ConsistencyConfig::Source::kPairwise : ConsistencyConfig::Source::kPooled,
      .subsample = o.subsample,
      .scores = {.splits = o.fit.split(dataset.stimuli()),
                 .bootstraps = o.fit.bootstraps_for(dataset.repeats()),
                 .seed = o.fit.seed}};
  for (const auto& [area, recordings] : areas) require_animals(o, area, recordings);
  InterruptGuard interrupt;
  std::vector<AreaConsistency> results;
  for (const auto& [area, recordings] : areas) {
    Progress progress(std::cerr, {.label = area.empty() ? "consistency" : area,
                                  .unit = "fit",
                                  .total = fits_of(config, recordings),
                                  .style = progress_style(2, o.quiet),
                                  .columns = terminal_columns(2)});
    config.scores.progress = [&](std::int64_t done, std::int64_t) {
      progress.update(done);
      return !interrupt.requested();
    };
    results.push_back({area, inter_animal_consistency(stream, *method, recordings, config)});
    progress.finish();
    if (!results.back().animals.back().scores.complete) return {};
  }
  return results;
}

Json json_of(const Options& o, const NeuralDataset& dataset, const std::vector<AreaConsistency>& areas) {
  Json rows = Json::array();
  for (const AreaConsistency& area : areas) {
    Json row{{"area", area.area}};
    for (const auto& [name, member] : kScoreForms) {
      if (const auto values = area.all(member); !values.empty()) row[name] = summary_json<Json>(values);
    }
    row["animals"] = Json::array();
    for (const AnimalConsistency& animal : area.animals) {
      Json scores{{"animal", animal.animal}, {"units", animal.cells}, {"undefined", animal.scores.undefined}};
      for (const auto& [name, member] : kScoreForms) {
        if (!(animal.scores.averaged.*member).empty()) scores[name] = animal.scores.averaged.*member;
      }
      for (const UnitScores& bin : animal.scores.bins) {
        if (animal.scores.bins.size() == 1) break;
        Json of_bin;
        for (const auto& [name, member] : kScoreForms) {
          if (!(bin.*member).empty()) of_bin[name] = summary_json<Json>(bin.*member);
        }
        scores["bins"].push_back(of_bin);
      }
      row["animals"].push_back(scores);
    }
    rows.push_back(row);
  }
  return {
      {"verb", "consistency"},
      {"chiasm", chiasm_version()},
      {"responses", responses_json<Json>(o.responses, dataset, targets_of(dataset, parse_halving(o.responses.halves)))},
      {"method", o.fit.method},
      {"source", o.source},
      {"subsample", o.subsample},
      {"time", o.time},
      {"splits", o.fit.split(dataset.stimuli()).size()},
      {"bootstraps", o.fit.bootstraps_for(dataset.repeats())},
      {"seed", o.fit.seed},
      {"bin_starts_ms", dataset.bin_starts_ms},
      {"areas", rows}};
}

int consistency(const Options& o) {
  if (!o.out.empty()) check_analysis_folder(o.out);
  const NeuralDataset dataset = o.responses.load();
  if (o.fit.bootstraps_for(dataset.repeats()) > 0) {
    o.responses.require_repeats(dataset, "correction for noise (--bootstraps above 0)");
  }
  const CpuStream stream(o.fit.threads, true);
  const std::vector<AreaConsistency> areas =
      o.fit.dtype() == "float32" ? run<float>(o, dataset, stream) : run<double>(o, dataset, stream);
  if (areas.empty()) {
    std::cerr << "interrupted; nothing was written\n";
    return kInterrupted;
  }
  const std::string json = json_of(o, dataset, areas).dump(2, ' ', false, Json::error_handler_t::replace);
  if (!o.out.empty()) write_analysis(o.out, "consistency", json);
  if (o.json) {
    std::cout << json << '\n';
    return 0;
  }
  for (const AreaConsistency& area : areas) {
    fmt::print("{}{} animals", area.area.empty() ? "" : area.area + ", ", area.animals.size());
    for (const auto& [name, member] : kScoreForms) {
      const std::vector<double> values = area.all(member);
      if (values.empty()) continue;
      const Summary s = summarise(values);
      fmt::print("; {} {}", name, number_text_with_error(s.median, s.sem));
      if (s.dropped > 0) fmt::print(" ({} of {} units undefined)", s.dropped, values.size());
    }
    fmt::print("\n");
  }
  fmt::print("Medians over the units of all animals +- s.e.m.; {} by {}, {} split(s), {} bootstraps.\n", o.source,
             o.fit.method, o.fit.split(dataset.stimuli()).size(), o.fit.bootstraps_for(dataset.repeats()));
  return 0;
}

}  // namespace

void add_consistency(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("consistency", "Predict the responses of each animal from those of the others");
  o->responses.add_to(verb);
  o->fit.add_to(verb);
  verb.option("--source", o->source,
              "pooled: the units of all other animals side by side; pairwise: one after the other")
      .one_of({"pooled", "pairwise"})
      .show_default();
  verb.flag("--subsample", o->subsample, "pairwise: use as many units of each as the smallest recording has");
  verb.flag("--maps", o->maps, "Specimens are animal:map, and cells of an animal are averaged over its maps");
  verb.option("--time", o->time, "average: responses averaged over time; fixed: one map for all time bins")
      .one_of({"average", "fixed"})
      .show_default();
  verb.option("--out", o->out, "Folder for consistency.json and report.html");
  verb.flag("--json", o->json, "Print JSON");
  verb.flag("--quiet", o->quiet, "No progress");
  verb.footer(
      "The ceiling that models are compared with, in the same forms as the scores of chiasm map.\n"
      "Examples:\n  chiasm consistency --responses visp.npz --method pls --components 25 --out runs/mouse\n"
      "  chiasm consistency --responses mec.npz --method elasticnet --alpha grid-1d --train-fraction 0.2");
  verb.action([o] { return consistency(*o); });
}

}  // namespace chiasm

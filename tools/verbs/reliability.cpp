// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "analysis/reliability/split_half.h"
#include "tools/neural/analysis_folder.h"
#include "tools/neural/json_parts.h"
#include "tools/neural/response_options.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/number_text.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  ResponseOptions responses;
  int draws = 900, threads = 0;
  std::uint64_t seed = 0;
  std::string out;
  bool json = false;
};

struct TargetReliability {
  const Target* target;
  SplitHalf averaged;  // of responses averaged over time
  SplitHalf bins;      // of each time bin, where there are several
};

Json json_of(const Options& o, const NeuralDataset& dataset, const std::vector<Target>& targets,
             const std::vector<TargetReliability>& all) {
  const std::vector<std::string> names = unit_names(dataset);
  Json groups = Json::array();
  for (const TargetReliability& r : all) {
    const std::vector<double>& units = r.averaged.reliability[0];
    Json ids = Json::array();
    for (const std::int64_t unit : r.target->units) ids.push_back(names[static_cast<std::size_t>(unit)]);
    Json group{{"area", r.target->area},
               {"specimen", r.target->specimen},
               {"reliability", summary_json<Json>(units)},
               {"half_reliability", summary_json<Json>(r.averaged.half_reliability[0])},
               {"undefined_draws", r.averaged.undefined},
               {"unit_ids", ids},
               {"per_unit", units}};
    group["reliability"]["min"] = least_of(units);
    group["reliability"]["max"] = most_of(units);
    for (std::size_t bin = 0; bin < r.bins.reliability.size(); ++bin) {
      Json row{{"reliability", summary_json<Json>(r.bins.reliability[bin])}};
      if (!dataset.bin_starts_ms.empty()) row["start_ms"] = dataset.bin_starts_ms[bin];
      group["bins"].push_back(row);
    }
    groups.push_back(group);
  }
  return {{"verb", "reliability"},
          {"chiasm", chiasm_version()},
          {"responses", responses_json<Json>(o.responses, dataset, targets)},
          {"draws", o.draws},
          {"seed", o.seed},
          {"groups", groups}};
}

int reliability(const Options& o) {
  if (!o.out.empty()) check_analysis_folder(o.out);
  const NeuralDataset dataset = o.responses.load();
  o.responses.require_repeats(dataset, "reliability");
  const std::vector<Target> targets = targets_of(dataset, parse_halving(o.responses.halves));
  const CpuStream stream(o.threads, true);
  std::vector<TargetReliability> all;
  for (const Target& target : targets) {
    all.push_back({&target, split_half(stream, target.trials.bins_averaged(0, target.trials.bins()), o.draws, o.seed),
                   target.trials.bins() > 1 ? split_half(stream, target.trials, o.draws, o.seed) : SplitHalf()});
  }
  const std::string json = json_of(o, dataset, targets, all).dump(2, ' ', false, Json::error_handler_t::replace);
  if (!o.out.empty()) write_analysis(o.out, "reliability", json);
  if (o.json) {
    std::cout << json << '\n';
    return 0;
  }
  for (const TargetReliability& r : all) {
    const std::vector<double>& units = r.averaged.reliability[0];
    const Summary s = summarise(units);
    fmt::print("{}: reliability median {}, min {}, max {}; {} units", name_of(*r.target),
               number_text_with_error(s.median, s.sem), number_text(least_of(units)), number_text(most_of(units)),
               units.size());
    if (s.dropped > 0) fmt::print(", {} of them undefined", s.dropped);
    if (r.averaged.undefined > 0) fmt::print("; {} draws undefined", r.averaged.undefined);
    if (r.target->trials.missing() > 0) fmt::print("; {} trials missing", r.target->trials.missing());
    fmt::print("\n");
    for (std::size_t bin = 0; bin < r.bins.reliability.size(); ++bin) {
      fmt::print(
          "  {:>8}  {}\n",
          dataset.bin_starts_ms.empty() ? std::to_string(bin) : fmt::format("{:g} ms", dataset.bin_starts_ms[bin]),
          number_text(summarise(r.bins.reliability[bin]).median));
    }
  }
  fmt::print("Spearman-Brown corrected correlations of halves, {} draws, {} halves.\n", o.draws,
             to_string(targets[0].trials.halving()));
  return 0;
}

}  // namespace

void add_reliability(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("reliability", "How reliable recorded responses are, unit by unit");
  o->responses.add_to(verb);
  verb.option("--draws", o->draws, "Halvings of the trials").range(1, 1000000).show_default();
  verb.option("--seed", o->seed, "Of the halvings").show_default();
  verb.option("--threads", o->threads, "0: one per core").range(0, 4096).show_default();
  verb.option("--out", o->out, "Folder for reliability.json and report.html");
  verb.flag("--json", o->json, "Print JSON");
  verb.footer(
      "Examples:\n  chiasm reliability --responses v4.npy\n"
      "  chiasm reliability --responses session.nwb --intervals natural_scenes --stimulus-key frame --bin-ms 10");
  verb.action([o] { return reliability(*o); });
}

}  // namespace chiasm

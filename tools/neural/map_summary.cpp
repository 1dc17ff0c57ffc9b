// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/map_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/predictivity/layer_choice.h"
#include "tools/neural/json_parts.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/number_text.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kAllAreas = "all areas";

void append(std::vector<double>& all, const std::vector<double>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

void append(UnitScores& all, const UnitScores& more) {
  for (const ScoreForm& form : kScoreForms) append(all.*form.scores, more.*form.scores);
}

void append(AreaScores& all, const AreaScores& more) {
  all.units.insert(all.units.end(), more.units.begin(), more.units.end());
  append(all.averaged, more.averaged);
  all.bins.resize(more.bins.size());
  for (std::size_t bin = 0; bin < more.bins.size(); ++bin) append(all.bins[bin], more.bins[bin]);
  append(all.normalised, more.normalised);
  append(all.reliability, more.reliability);
  all.undefined += more.undefined;
  all.not_converged += more.not_converged;
}

AreaScores scores_of(const MapJob& job, const TargetScores& scores, const std::vector<double>& reliability,
                     const std::vector<std::string>& names) {
  const Target& target = job.targets[scores.target];
  AreaScores area{.area = target.area, .averaged = scores.scores.averaged, .reliability = reliability};
  for (const std::int64_t unit : target.units) area.units.push_back(names[static_cast<std::size_t>(unit)]);
  if (job.responses.bins() > 1 && job.time != MapTime::kAverage) area.bins = scores.scores.bins;
  for (std::size_t u = 0; u < reliability.size(); ++u) {
    area.normalised.push_back(reliability[u] > 0.0 ? area.averaged.raw[u] / std::sqrt(reliability[u])
                                                   : std::numeric_limits<double>::quiet_NaN());
  }
  area.undefined = scores.scores.undefined;
  area.not_converged = scores.scores.not_converged;
  return area;
}

Json forms_json(const UnitScores& scores) {
  Json forms;
  for (const ScoreForm& form : kScoreForms) {
    if (!(scores.*form.scores).empty()) forms[form.name] = summary_json<Json>(scores.*form.scores);
  }
  return forms;
}

Json area_json(const MapJob& job, const AreaScores& area) {
  Json json{{"area", area.area}};
  json.update(forms_json(area.averaged));
  if (!area.normalised.empty()) json["normalised"] = summary_json<Json>(area.normalised);
  json["undefined"] = area.undefined;
  json["not_converged"] = area.not_converged;
  for (std::size_t bin = 0; bin < area.bins.size(); ++bin) {
    Json of_bin = forms_json(area.bins[bin]);
    if (!job.responses.bin_starts_ms.empty()) of_bin["start_ms"] = job.responses.bin_starts_ms[bin];
    json["bins"].push_back(of_bin);
  }
  if (area.area != kAllAreas) {
    Json units;
    for (const ScoreForm& form : kScoreForms) {
      if (!(area.averaged.*form.scores).empty()) units[form.name] = area.averaged.*form.scores;
    }
    if (!area.normalised.empty()) units["normalised"] = area.normalised;
    json["units"] = units;
  }
  return json;
}

Json map_json(const MapOptions& map) {
  Json json{{"method", map.method}};
  if (map.method == "pls") {
    json["components"] = map.components;
    json["scale"] = map.scale;
    json["converged"] = map.converged;
  } else if (map.method == "factored") {
    json["space_l2"] = map.factored.penalties.space_l2;
    json["channels_l2"] = map.factored.penalties.channels_l2;
    json["rate"] = map.factored.rate;
    json["max_steps"] = map.factored.max_steps;
  } else if (map.method != "one-to-one" && map.method != "nnls") {
    json["alphas"] = map.alphas;
    json["alpha_over_n"] = map.alpha_over_n;
    json["folds"] = map.folds;
    if (map.method == "elasticnet") json["l1_ratios"] = map.l1_ratios;
  }
  return json;
}

const char* word_of(MapTime time) {
  switch (time) {
    case MapTime::kAverage:
      return "average";
    case MapTime::kFixed:
      return "fixed";
    case MapTime::kPerBin:
      break;
  }
  return "per-bin";
}

// The best layer of each area, and how many units each layer predicts best.
Json best_json(const std::vector<std::vector<AreaScores>>& layers, const MapResult& result) {
  Json best = Json::array();
  for (std::size_t a = 0; a < layers[0].size(); ++a) {
    std::vector<std::vector<double>> scores;
    for (const auto& areas : layers) scores.push_back(areas[a].main());
    const int layer = best_layer(scores);
    Json won;
    const std::vector<std::int64_t> counts = units_won(scores);
    for (std::size_t l = 0; l < counts.size(); ++l) won[result.layers[l].layer] = counts[l];
    best.push_back({{"area", layers[0][a].area},
                    {"layer", layer < 0 ? Json() : Json(result.layers[static_cast<std::size_t>(layer)].layer)},
                    {"units_predicted_best_by", won}});
  }
  return best;
}

// Of the units that the best layer predicts best, a few.
Json course_json(const MapJob& job, const MapResult& result, const std::vector<std::vector<AreaScores>>& layers) {
  constexpr std::size_t kMostUnits = 6;
  std::vector<std::vector<double>> scores;
  for (const auto& areas : layers) scores.push_back(areas.back().main());
  const int best = best_layer(scores);
  if (best < 0) return {};
  const LayerScores& layer = result.layers[static_cast<std::size_t>(best)];
  const std::vector<double>& score = scores[static_cast<std::size_t>(best)];
  // Units as scores_by_area() puts them one after the other: their target, and their place in it.
  std::vector<std::pair<const TargetScores*, std::int64_t>> units;
  for (const TargetScores& target : layer.targets) {
    for (std::int64_t u = 0; u < job.targets[target.target].trials.units(); ++u) units.emplace_back(&target, u);
  }
  std::vector<std::size_t> order;
  for (std::size_t u = 0; u < units.size(); ++u) {
    if (score[u] == score[u]) order.push_back(u);
  }
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t u) { return score[u]; });
  order.resize(std::min(order.size(), kMostUnits));
  const std::vector<std::string> names = unit_names(job.responses);
  Json course{{"layer", layer.layer}, {"start_ms", job.responses.bin_starts_ms}, {"units", Json::array()}};
  for (const std::size_t u : order) {
    const auto& [target, place] = units[u];
    const auto column = [&, at = place](const Matrix<double>& m) {
      std::vector<double> values;
      for (std::int64_t bin = 0; bin < m.rows(); ++bin) values.push_back(m(bin, at));
      return values;
    };
    const std::int64_t unit = job.targets[target->target].units[static_cast<std::size_t>(place)];
    course["units"].push_back({{"id", names[static_cast<std::size_t>(unit)]},
                               {"area", job.targets[target->target].area},
                               {"score", score[u]},
                               {"observed", column(target->course.observed)},
                               {"predicted", column(target->course.predicted)}});
  }
  return course;
}

}  // namespace

std::vector<std::vector<AreaScores>> scores_by_area(const MapJob& job, const MapResult& result) {
  const std::vector<std::string> names = unit_names(job.responses);
  std::vector<std::vector<AreaScores>> layers;
  for (const LayerScores& layer : result.layers) {
    std::vector<AreaScores>& areas = layers.emplace_back();
    for (const TargetScores& scores : layer.targets) {
      AreaScores of_target = scores_of(job, scores, result.reliability[scores.target], names);
      if (!areas.empty() && areas.back().area == of_target.area) {
        append(areas.back(), of_target);
      } else {
        areas.push_back(std::move(of_target));
      }
    }
    if (areas.size() > 1) {
      AreaScores all{.area = kAllAreas};
      for (const AreaScores& area : areas) append(all, area);
      areas.push_back(std::move(all));
    }
  }
  return layers;
}

std::string json_of(const MapJob& job, const MapResult& result, const MapAbout& about) {
  const auto layers = scores_by_area(job, result);
  Json json{{"verb", "map"},
            {"chiasm", chiasm_version()},
            {"features", about.features},
            {"responses", responses_json<Json>(about.responses, job.responses, job.targets)},
            {"matching", about.matching},
            {"map", map_json(job.map)},
            {"splits", job.splits.size()},
            {"train_stimuli", job.splits[0].train.size()},
            {"test_stimuli", job.splits[0].test.size()},
            {"bootstraps", job.bootstraps},
            {"seed", job.seed},
            {"time", word_of(job.time)},
            {"dtype", job.dtype},
            {"standardised", job.standardise}};
  Json units = Json::array(), reliability = Json::array();
  for (const AreaScores& area : layers[0]) {
    if (area.area == kAllAreas) continue;
    units.push_back({{"area", area.area}, {"units", area.units}});
    if (!area.reliability.empty()) {
      Json row{{"area", area.area}, {"units", area.reliability}};
      row.update(summary_json<Json>(area.reliability), true);
      row["per_unit"] = area.reliability;
      row.erase("units");
      reliability.push_back(row);
    }
  }
  json["units"] = units;
  json["reliability"] = reliability;
  json["layers"] = Json::array();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    Json row{{"layer", result.layers[l].layer},
             {"units", result.layers[l].units},
             {"constant_units", result.layers[l].constant_units},
             {"areas", Json::array()}};
    for (const AreaScores& area : layers[l]) row["areas"].push_back(area_json(job, area));
    json["layers"].push_back(row);
  }
  json["best"] = best_json(layers, result);
  if (job.time != MapTime::kAverage) json["time_course"] = course_json(job, result, layers);
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string table_of(const MapJob& job, const MapResult& result) {
  const auto layers = scores_by_area(job, result);
  std::size_t width = 5;
  for (const LayerScores& layer : result.layers) width = std::max(width, layer.layer.size());
  const auto cell = [](const std::vector<double>& values) {
    const Summary s = summarise(values);
    return values.empty() ? std::string() : number_text_with_error(s.median, s.sem);
  };
  std::string out;
  for (std::size_t a = 0; a < layers[0].size(); ++a) {
    const AreaScores& first = layers[0][a];
    out += fmt::format("{}{} units", first.area.empty() ? "" : first.area + ", ", first.units.size());
    if (!first.reliability.empty())
      out += fmt::format(", reliability {}", number_text(summarise(first.reliability).median));
    out += fmt::format("\n  {:<{}} {:>10}  {:<16} {:<16} {:<16} {:<16} {}\n", "layer", width, "units", "published",
                       "plain", "r", "r / ceiling", "undefined");
    std::vector<std::vector<double>> main;
    for (const auto& areas : layers) main.push_back(areas[a].main());
    const int best = best_layer(main);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const AreaScores& area = layers[l][a];
      out += fmt::format("{} {:<{}} {:>10}  {:<16} {:<16} {:<16} {:<16} {}\n", static_cast<int>(l) == best ? "*" : " ",
                         result.layers[l].layer, width, result.layers[l].units, cell(area.averaged.published),
                         cell(area.averaged.plain), cell(area.averaged.raw), cell(area.normalised),
                         area.undefined + summarise(area.main()).dropped > 0
                             ? fmt::format("{} bootstraps, {} units", area.undefined, summarise(area.main()).dropped)
                             : "");
      if (area.not_converged > 0) out += fmt::format("    {} fits did not converge\n", area.not_converged);
    }
  }
  out += fmt::format(
      "Medians over units +- s.e.m., {} training and {} test stimuli, {} split(s), {} bootstraps; * best layer.\n",
      job.splits[0].train.size(), job.splits[0].test.size(), job.splits.size(), job.bootstraps);
  if (job.bootstraps == 0) {
    out += "r is not corrected for noise: there were no bootstraps" +
           std::string(job.responses.repeats() < 2 ? ", because stimuli were shown once.\n" : ".\n");
  }
  return out;
}

}  // namespace chiasm

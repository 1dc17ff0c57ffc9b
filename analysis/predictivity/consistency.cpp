// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/consistency.h"

#include <algorithm>

#include "analysis/reliability/running_mean.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

std::vector<std::string> distinct(const std::vector<std::string>& names) {
  std::vector<std::string> kept;
  for (const std::string& name : names) {
    if (std::ranges::find(kept, name) == kept.end()) kept.push_back(name);
  }
  return kept;
}

// One value per cell from the scores of `recordings`, whose units are those of `cells`.
UnitScores mean_over_maps(const std::vector<std::string>& cells, const std::vector<const Recording*>& recordings,
                          const std::vector<const UnitScores*>& scores) {
  UnitScores mean;
  for (const auto& [name, member] : kScoreForms) {
    std::vector<RunningMean> sums((scores[0]->*member).empty() ? 0 : cells.size());
    for (std::size_t r = 0; r < recordings.size() && !sums.empty(); ++r) {
      const std::vector<double>& values = scores[r]->*member;
      for (std::size_t u = 0; u < values.size(); ++u) {
        const auto cell = std::ranges::find(cells, recordings[r]->cells[u]) - cells.begin();
        sums[static_cast<std::size_t>(cell)].add(values[u]);
      }
    }
    for (const RunningMean& sum : sums) (mean.*member).push_back(sum.mean());
  }
  return mean;
}

Predictivity mean_over_maps(const std::vector<std::string>& cells, const std::vector<const Recording*>& recordings,
                            const std::vector<Predictivity>& scores) {
  Predictivity mean;
  std::vector<const UnitScores*> parts;
  for (std::size_t bin = 0; bin < scores[0].bins.size(); ++bin) {
    parts.clear();
    for (const Predictivity& of_map : scores) parts.push_back(&of_map.bins[bin]);
    mean.bins.push_back(mean_over_maps(cells, recordings, parts));
  }
  parts.clear();
  for (const Predictivity& of_map : scores) {
    parts.push_back(&of_map.averaged);
    mean.undefined += of_map.undefined;
    mean.not_converged += of_map.not_converged;
  }
  mean.averaged = mean_over_maps(cells, recordings, parts);
  return mean;
}

std::int64_t fits_of(const PredictivityConfig& config) {
  return std::ssize(config.splits) * (1 + 2 * static_cast<std::int64_t>(config.bootstraps));
}

bool pools(const ConsistencyConfig& config) { return config.source == ConsistencyConfig::Source::kPooled; }

// Of a target and what it is predicted from.
std::int64_t pairs_of(const ConsistencyConfig& config, const std::vector<Recording>& recordings) {
  std::int64_t pairs = 0;
  for (const Recording& target : recordings) {
    pairs += pools(config) ? 1 : std::ranges::count_if(recordings, [&](const Recording& source) {
      return source.animal != target.animal;
    });
  }
  return pairs;
}

}  // namespace

std::int64_t fits_of(const ConsistencyConfig& config, const std::vector<Recording>& recordings) {
  return pairs_of(config, recordings) * fits_of(config.scores);
}

template <class T>
std::vector<AnimalConsistency> inter_animal_consistency(const CpuStream& stream, const MapMethod<T>& method,
                                                        const std::vector<Recording>& recordings,
                                                        const ConsistencyConfig& config) {
  std::vector<std::string> names;
  for (const Recording& recording : recordings) {
    names.push_back(recording.animal);
    if (std::ssize(recording.cells) != recording.trials.units()) {
      throw InputError("recording of " + recording.animal + ": " + std::to_string(recording.cells.size()) +
                       " names for " + std::to_string(recording.trials.units()) + " units");
    }
  }
  const std::vector<std::string> animals = distinct(names);
  if (animals.size() < 2) {
    throw InputError("consistency between animals needs two or more, found " + std::to_string(animals.size()) +
                     (animals.empty() ? "" : " (" + animals[0] + ")"));
  }
  const bool pooled = pools(config);
  std::int64_t smallest = recordings[0].trials.units();
  for (const Recording& target : recordings) smallest = std::min(smallest, target.trials.units());

  PredictivityConfig scores_config = config.scores;
  std::int64_t pair = 0;
  if (config.scores.progress) {
    scores_config.progress = [&](std::int64_t done, std::int64_t) {
      return config.scores.progress(pair * fits_of(config.scores) + done, fits_of(config, recordings));
    };
  }

  std::vector<AnimalConsistency> results;
  for (const std::string& animal : animals) {
    std::vector<const Recording*> targets;
    std::vector<const Trials*> others;
    for (const Recording& recording : recordings) {
      if (recording.animal == animal) {
        targets.push_back(&recording);
      } else {
        others.push_back(&recording.trials);
      }
    }
    AnimalConsistency& result = results.emplace_back();
    result.animal = animal;
    std::vector<Predictivity> of_maps;
    for (const Recording* target : targets) {
      result.cells.insert(result.cells.end(), target->cells.begin(), target->cells.end());
      std::vector<std::vector<const Trials*>> sources;
      if (pooled) {
        sources.push_back(others);
      } else {
        for (const Trials* other : others) sources.push_back({other});
      }
      std::vector<Predictivity> of_sources;
      for (const auto& source : sources) {
        const AnimalSourceConfig source_config{.seed = config.scores.seed,
                                               .subsample = !pooled && config.subsample ? smallest : 0};
        const auto from = animal_source<T>(method, source, config.scores.splits, source_config);
        of_sources.push_back(predictivity(stream, *from, target->trials, scores_config));
        if (!of_sources.back().complete) {
          result.scores.complete = false;
          return results;
        }
        ++pair;
      }
      of_maps.push_back(mean_over_sources(of_sources));
    }
    result.cells = distinct(result.cells);
    result.scores = mean_over_maps(result.cells, targets, of_maps);
  }
  return results;
}

template std::vector<AnimalConsistency> inter_animal_consistency(const CpuStream&, const MapMethod<float>&,
                                                                 const std::vector<Recording>&,
                                                                 const ConsistencyConfig&);
template std::vector<AnimalConsistency> inter_animal_consistency(const CpuStream&, const MapMethod<double>&,
                                                                 const std::vector<Recording>&,
                                                                 const ConsistencyConfig&);

}  // namespace chiasm

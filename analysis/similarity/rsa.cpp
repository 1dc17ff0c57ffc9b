// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/rsa.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <string>

#include "analysis/predictivity/noise_correction.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

void require_valid(const Population& population, std::int64_t stimuli, const RsaConfig& config) {
  for (const Trials* trials : population) {
    const std::string name = "recording \"" + trials->name() + "\"";
    if (trials->bins() != 1) {
      throw InputError(name + " has " + std::to_string(trials->bins()) +
                       " time bins: average over bins before comparing dissimilarities");
    }
    if (trials->stimuli() != stimuli) {
      throw InputError(name + " is of " + std::to_string(trials->stimuli()) + " stimuli, others are of " +
                       std::to_string(stimuli));
    }
    if (config.bootstraps > 0 && trials->repeats() < 2) {
      throw InputError(name + " has one repeat of each stimulus: halves need two or more; ask for 0 bootstraps");
    }
  }
}

std::int64_t stimuli_of(const Population& population) {
  if (population.empty()) throw InputError("similarity to a population without recordings");
  return population[0]->stimuli();
}

Matrix<double> side_by_side(const std::vector<Matrix<double>>& parts) {
  if (parts.size() == 1) return parts[0];
  std::int64_t units = 0;
  for (const Matrix<double>& part : parts) units += part.columns();
  Matrix<double> all(parts[0].rows(), units);
  for (std::int64_t i = 0; i < all.rows(); ++i) {
    auto to = all.row(i).begin();
    for (const Matrix<double>& part : parts) to = std::ranges::copy(part.row(i), to).out;
  }
  return all;
}

Rdm mean_rdm(const CpuStream& stream, const Population& population, const RsaConfig& config) {
  std::vector<Matrix<double>> means;
  for (const Trials* trials : population) means.push_back(trials->means());
  return dissimilarity<double>(stream, side_by_side(means), config.dissimilarity);
}

struct HalfRdms {
  Rdm first, second;
};

HalfRdms half_rdms(const Population& population, const RsaConfig& config, std::uint32_t draw) {
  std::vector<Matrix<double>> first, second;
  for (const Trials* trials : population) {
    TrialHalves halves = trials->halves(config.seed, draw);
    first.push_back(std::move(halves.first));
    second.push_back(std::move(halves.second));
  }
  const CpuStream one(1);
  return {dissimilarity<double>(one, side_by_side(first), config.dissimilarity),
          dissimilarity<double>(one, side_by_side(second), config.dissimilarity)};
}

// What each bootstrap gave, and its summary.
struct Draws {
  explicit Draws(int bootstraps) : terms(static_cast<std::size_t>(bootstraps)) {}

  RsaScore summary() const {
    RsaScore score;
    const auto over = [&](auto&& of) {
      std::vector<double> values;
      for (const HalfCorrelations& r : terms) values.push_back(of(r));
      return summarise(values);
    };
    score.published = over(published_correction);
    score.plain = over(plain_correction);
    score.half = over([](const HalfCorrelations& r) { return r.prediction; });
    score.source_internal = over([](const HalfCorrelations& r) { return r.mapping; });
    score.internal = over([](const HalfCorrelations& r) { return r.internal; });
    return score;
  }

  std::vector<HalfCorrelations> terms;
};

// Calls body(draw) for each, several at once; false where progress stopped it.
template <class Body>
bool for_each_draw(const CpuStream& stream, const RsaConfig& config, const Body& body) {
  std::atomic<bool> stopped = false;
  std::mutex telling;
  std::int64_t done = 0;
  stream.parallel_tasks(config.bootstraps, [&](std::int64_t draw) {
    if (stopped) return;
    body(static_cast<std::uint32_t>(draw));
    const std::lock_guard lock(telling);
    if (config.progress && !config.progress(++done, config.bootstraps)) stopped = true;
  });
  return !stopped;
}

double score_of(const RsaScore& layer, const RsaConfig& config) {
  return config.bootstraps > 0 ? layer.published.mean : layer.raw.value;
}

}  // namespace

RsaScore animal_rsa(const CpuStream& stream, const Population& source, const Population& target,
                    const RsaConfig& config) {
  const std::int64_t stimuli = stimuli_of(target);
  stimuli_of(source);
  require_valid(source, stimuli, config);
  require_valid(target, stimuli, config);
  Draws draws(config.bootstraps);
  const bool complete = for_each_draw(stream, config, [&](std::uint32_t draw) {
    const HalfRdms a = half_rdms(source, config, draw), b = half_rdms(target, config, draw);
    draws.terms[draw] = {.prediction = compare(a.first, b.second, config.comparison).value,
                         .mapping = compare(a.first, a.second, config.comparison).value,
                         .internal = compare(b.first, b.second, config.comparison).value};
  });
  RsaScore score = complete ? draws.summary() : RsaScore{};
  score.complete = complete;
  score.raw = compare(mean_rdm(stream, source, config), mean_rdm(stream, target, config), config.comparison);
  return score;
}

ModelRsa model_rsa(const CpuStream& stream, std::span<const Rdm> layers, const Population& target,
                   const RsaConfig& config) {
  const std::int64_t stimuli = stimuli_of(target);
  require_valid(target, stimuli, config);
  for (const Rdm& layer : layers) {
    if (layer.items == stimuli) continue;
    throw InputError("a model's dissimilarity matrix of " + std::to_string(layer.items) + " items, responses to " +
                     std::to_string(stimuli) + " stimuli");
  }
  std::vector<Draws> draws(layers.size(), Draws(config.bootstraps));
  const bool complete = for_each_draw(stream, config, [&](std::uint32_t draw) {
    const HalfRdms b = half_rdms(target, config, draw);
    const double internal = compare(b.first, b.second, config.comparison).value;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      draws[l].terms[draw] = {.prediction = compare(layers[l], b.second, config.comparison).value,
                              .mapping = 1.0,  // nothing is fitted, and the model has no noise
                              .internal = internal};
    }
  });
  const Rdm all_trials = mean_rdm(stream, target, config);
  ModelRsa result;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    RsaScore score = complete ? draws[l].summary() : RsaScore{};
    score.complete = complete;
    score.raw = compare(layers[l], all_trials, config.comparison);
    result.layers.push_back(std::move(score));
    const double mine = score_of(result.layers.back(), config);
    if (std::isnan(mine)) continue;
    if (result.best < 0 || mine > score_of(result.layers[static_cast<std::size_t>(result.best)], config)) {
      result.best = static_cast<int>(l);
    }
  }
  return result;
}

ModelRsaByAnimal model_rsa_by_animal(const CpuStream& stream, std::span<const Rdm> layers,
                                     const std::vector<Population>& animals, const RsaConfig& config) {
  ModelRsaByAnimal result;
  std::vector<double> published, plain;
  for (const Population& animal : animals) {
    ModelRsa scores = model_rsa(stream, layers, animal, config);
    const RsaScore best = scores.best < 0 ? RsaScore{} : scores.layers[static_cast<std::size_t>(scores.best)];
    published.push_back(best.published.mean);
    plain.push_back(best.plain.mean);
    result.animals.push_back(std::move(scores));
  }
  result.published = summarise(published);
  result.plain = summarise(plain);
  return result;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/map_job.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/maps/standardise.h"
#include "analysis/reliability/running_mean.h"
#include "analysis/reliability/split_half.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// Published halvings for reliabilities are 900; 100 leave them uncertain by a few thousandths.
constexpr int kReliabilityDraws = 100;

// Sources of a layer, and fits of each to a target.
std::int64_t sources_of(const MapJob& job) { return job.time == MapTime::kPerBin ? job.responses.bins() : 1; }
std::int64_t fits_each(const MapJob& job) { return std::ssize(job.splits) * (1 + 2 * std::int64_t{job.bootstraps}); }

// Rows are stimulus * bins + bin, from one step of the features for each bin.
template <class T>
Source<T> stacked_source(const MapJob& job, std::size_t layer) {
  std::vector<typename Source<T>::Reader> readers;
  for (const std::size_t step : job.steps[0])
    readers.push_back(feature_reader<T>(job.features, layer, {step}, job.rows));
  const std::int64_t bins = std::ssize(job.steps[0]), units = job.features->layers()[layer].units();
  const auto read = [readers, bins, units](std::int64_t first, std::int64_t count) {
    Matrix<T> rows(count, units);
    const std::int64_t begin = first / bins, end = (first + count + bins - 1) / bins;
    for (std::int64_t bin = 0; bin < bins; ++bin) {
      const Matrix<T> of_bin = readers[static_cast<std::size_t>(bin)](begin, end - begin);
      for (std::int64_t stimulus = begin; stimulus < end; ++stimulus) {
        const std::int64_t row = stimulus * bins + bin - first;
        if (row >= 0 && row < count) std::ranges::copy(of_bin.row(stimulus - begin), rows.row(row).begin());
      }
    }
    return rows;
  };
  return Source<T>(std::ssize(job.rows) * bins, units, read);
}

// Scores of maps that were fitted to each bin by itself: averaged over bins, they are the means of those of the bins.
Predictivity joined(const std::vector<Predictivity>& bins) {
  Predictivity all = mean_over_sources(bins);
  all.bins.clear();
  for (const Predictivity& bin : bins) all.bins.push_back(bin.averaged);
  return all;
}

void append_rows(Matrix<double>& all, const Matrix<double>& more) {
  std::vector<double> values(all.values().begin(), all.values().end());
  values.insert(values.end(), more.values().begin(), more.values().end());
  all = Matrix<double>(all.rows() + more.rows(), more.columns(), std::move(values));
}

template <class T>
class Runner {
 public:
  Runner(const CpuStream& stream, const MapJob& job, const MapProgress& report)
      : stream_(stream), job_(job), report_(report) {}

  MapResult run(bool predictions) {
    MapResult result;
    for (const Target& target : job_.targets) {
      result.reliability.emplace_back();
      if (target.trials.repeats() >= 2) {
        const Trials averaged = target.trials.bins_averaged(0, target.trials.bins());
        result.reliability.back() = split_half(stream_, averaged, kReliabilityDraws, job_.seed).reliability[0];
      }
    }
    for (std::size_t l = 0; l < job_.layers.size(); ++l) {
      const std::size_t layer = job_.layers[l];
      const FeatureLayers::Layer& about = job_.features->layers()[layer];
      LayerScores& scores = result.layers.emplace_back(LayerScores{about.name, about.units(), {}, 0});
      MapOptions options = job_.map;
      options.shape = about.shape;
      const auto method = make_map<T>(options);
      note_ = about.name;
      std::vector<std::vector<Predictivity>> of_bins(job_.targets.size());
      std::vector<TimeCourse> courses(job_.targets.size());
      for (std::int64_t bin = 0; bin < sources(); ++bin) {
        Source<T> source = source_of(l, bin);
        if (job_.standardise) {
          Standardised<T> scaled = standardised(source);
          source = std::move(scaled.source);
          scores.constant_units = std::max(scores.constant_units, scaled.constant);
        }
        const auto maps = model_source<T>(stream_, *method, source, job_.splits, stacked());
        for (std::size_t t = 0; t < job_.targets.size(); ++t) {
          const Trials trials = trials_of(job_.targets[t], bin);
          of_bins[t].push_back(predictivity(stream_, *maps, trials, config()));
          if (!of_bins[t].back().complete) return {.layers = {}, .complete = false};
          done_ += fits_each(job_);
          if (!predictions && job_.time == MapTime::kAverage) continue;
          const Matrix<T> predicted = predict_means(stream_, *maps, trials, job_.splits[0], 0);
          if (predictions) result.predictions = by_unit(predicted, trials);
          if (job_.time != MapTime::kAverage) append_course(courses[t], trials, predicted);
        }
      }
      for (std::size_t t = 0; t < job_.targets.size(); ++t) {
        scores.targets.push_back(
            {t, job_.time == MapTime::kPerBin ? joined(of_bins[t]) : of_bins[t][0], std::move(courses[t])});
      }
    }
    return result;
  }

 private:
  std::int64_t sources() const { return sources_of(job_); }
  std::int64_t stacked() const { return job_.time == MapTime::kFixed ? job_.responses.bins() : 1; }

  Source<T> source_of(std::size_t l, std::int64_t bin) const {
    const std::size_t layer = job_.layers[l];
    switch (job_.time) {
      case MapTime::kFixed:
        return stacked_source<T>(job_, layer);
      case MapTime::kPerBin:
        return feature_source<T>(job_.features, layer, {job_.steps[0][static_cast<std::size_t>(bin)]}, job_.rows);
      case MapTime::kAverage:
        break;
    }
    return feature_source<T>(job_.features, layer, job_.steps[l], job_.rows);
  }

  Trials trials_of(const Target& target, std::int64_t bin) const {
    switch (job_.time) {
      case MapTime::kFixed:
        return target.trials;
      case MapTime::kPerBin:
        return target.trials.bins_averaged(bin, 1);
      case MapTime::kAverage:
        break;
    }
    return target.trials.bins_averaged(0, target.trials.bins());
  }

  PredictivityConfig config() const {
    return {.splits = job_.splits,
            .bootstraps = job_.bootstraps,
            .seed = job_.seed,
            .progress = [this](std::int64_t done, std::int64_t) { return report_(done_ + done, note_); }};
  }

  // [units, test stimuli] or [units, test stimuli, bins].
  static Tensor by_unit(const Matrix<T>& predicted, const Trials& trials) {
    const Tensor turned = tensor_of<T>(transposed<T>(predicted));
    const std::int64_t bins = trials.bins();
    return bins == 1 ? turned : turned.reshaped({trials.units(), predicted.rows() / bins, bins});
  }

  // Adds the bins of `trials` behind those that are there.
  void append_course(TimeCourse& course, const Trials& trials, const Matrix<T>& predicted) const {
    const Split rows = expand_bins(job_.splits[0], trials.bins());
    const Matrix<double> means = trials.means();
    Matrix<double> observed(trials.bins(), trials.units()), mapped(trials.bins(), trials.units());
    for (std::int64_t unit = 0; unit < trials.units(); ++unit) {
      for (std::int64_t bin = 0; bin < trials.bins(); ++bin) {
        RunningMean real, model;
        for (std::int64_t i = bin; i < predicted.rows(); i += trials.bins()) {
          real.add(means(rows.test[static_cast<std::size_t>(i)], unit));
          model.add(static_cast<double>(predicted(i, unit)));
        }
        observed(bin, unit) = real.mean();
        mapped(bin, unit) = model.mean();
      }
    }
    append_rows(course.observed, observed);
    append_rows(course.predicted, mapped);
  }

  const CpuStream& stream_;
  const MapJob& job_;
  const MapProgress& report_;
  std::int64_t done_ = 0;
  std::string note_;
};

}  // namespace

std::int64_t fits_of(const MapJob& job) {
  return fits_each(job) * sources_of(job) * std::ssize(job.targets) * std::ssize(job.layers);
}

MapResult run_map(const CpuStream& stream, const MapJob& job, bool predictions, const MapProgress& progress) {
  if (predictions &&
      (job.layers.size() != 1 || job.targets.size() != 1 || job.splits.size() != 1 || job.time == MapTime::kPerBin)) {
    throw InputError("--predictions: found " + std::to_string(job.layers.size()) + " layer(s), " +
                     std::to_string(job.targets.size()) + " group(s) of units and " +
                     std::to_string(job.splits.size()) + " split(s)" +
                     (job.time == MapTime::kPerBin ? " with a map for each time bin" : "") +
                     "; allowed is one of each (--layers, --area, --train-indices or --splits 1) and one map");
  }
  if (job.dtype == "float32") return Runner<float>(stream, job, progress).run(predictions);
  return Runner<double>(stream, job, progress).run(predictions);
}

std::vector<std::size_t> steps_of_bins(const FeatureLayers& features, const NeuralDataset& responses) {
  const std::vector<int>& steps = features.steps();
  std::vector<std::size_t> found;
  if (responses.bin_starts_ms.empty() || std::isnan(features.step_ms())) {
    if (std::ssize(steps) != responses.bins()) {
      throw InputError(features.path() + " has " + std::to_string(steps.size()) +
                       " time steps and the responses have " + std::to_string(responses.bins()) +
                       " time bins; without times on both sides, allowed are equal numbers");
    }
    for (std::size_t step = 0; step < steps.size(); ++step) found.push_back(step);
    return found;
  }
  for (const double start : responses.bin_starts_ms) {
    const auto step = std::ranges::find_if(
        steps, [&](int number) { return std::abs(number * features.step_ms() - start) <= features.step_ms() / 2; });
    if (step == steps.end()) {
      throw InputError(features.path() + " has no time step for the responses' bin from " + std::to_string(start) +
                       " ms on: it has steps " + std::to_string(steps.front()) + " to " + std::to_string(steps.back()) +
                       " of " + std::to_string(features.step_ms()) + " ms; choose bins with --window");
    }
    found.push_back(static_cast<std::size_t>(step - steps.begin()));
  }
  return found;
}

}  // namespace chiasm

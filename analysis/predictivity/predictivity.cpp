// SPDX-License-Identifier: Apache-2.0
#include "analysis/predictivity/predictivity.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "analysis/predictivity/noise_correction.h"
#include "analysis/reliability/running_mean.h"
#include "analysis/statistics/correlation.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// Bootstraps computed at once; their results are merged in order, so that it changes no sum.
constexpr std::int64_t kBatch = 16;

template <class T>
Matrix<T> rows_of(const Matrix<double>& m, const std::vector<std::int64_t>& rows) {
  Matrix<T> taken(std::ssize(rows), m.columns());
  for (std::int64_t i = 0; i < taken.rows(); ++i) {
    std::ranges::transform(m.row(rows[static_cast<std::size_t>(i)]), taken.row(i).begin(),
                           [](double v) { return static_cast<T>(v); });
  }
  return taken;
}

// Fits the units whose training responses are all there; the others are predicted as NaN, and spoil no joint fit.
template <class T>
Matrix<T> predict_whole(const CpuStream& stream, const PreparedMap<T>& map, const Matrix<T>& y, std::int64_t test_rows,
                        MapReport* report) {
  std::vector<bool> whole(static_cast<std::size_t>(y.columns()), true);
  for (std::int64_t i = 0; i < y.rows(); ++i) {
    for (std::int64_t k = 0; k < y.columns(); ++k) {
      if (!std::isfinite(y(i, k))) whole[static_cast<std::size_t>(k)] = false;
    }
  }
  if (std::ranges::find(whole, false) == whole.end()) return map.predict(stream, y, report);
  std::vector<std::int64_t> kept;
  for (std::size_t k = 0; k < whole.size(); ++k) {
    if (whole[k]) kept.push_back(static_cast<std::int64_t>(k));
  }
  Matrix<T> all(test_rows, y.columns());
  std::ranges::fill(all.values(), std::numeric_limits<T>::quiet_NaN());
  if (kept.empty()) return all;
  Matrix<T> fitted(y.rows(), std::ssize(kept));
  for (std::int64_t i = 0; i < y.rows(); ++i) {
    for (std::int64_t k = 0; k < fitted.columns(); ++k) fitted(i, k) = y(i, kept[static_cast<std::size_t>(k)]);
  }
  const Matrix<T> predicted = map.predict(stream, fitted, report);
  for (std::int64_t i = 0; i < test_rows; ++i) {
    for (std::int64_t k = 0; k < fitted.columns(); ++k) all(i, kept[static_cast<std::size_t>(k)]) = predicted(i, k);
  }
  return all;
}

// r of the columns of a and b, rows being stimulus * bins + bin: for each bin, and behind them, with more than one bin,
// of their means over bins. [entries * units].
template <class T>
std::vector<double> correlate(const Matrix<T>& a, const Matrix<T>& b, std::int64_t bins) {
  const std::int64_t units = a.columns(), stimuli = a.rows() / bins;
  const auto of_bin = [&](const Matrix<T>& m, std::int64_t bin) {
    return MatrixView<T>{m.data() + bin * units, stimuli, units, bins * units};
  };
  std::vector<double> r;
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    const auto column = column_pearson(of_bin(a, bin), of_bin(b, bin));
    r.insert(r.end(), column.begin(), column.end());
  }
  if (bins > 1) {
    const auto averaged = [&](const Matrix<T>& m) {
      Matrix<double> mean(stimuli, units);
      for (std::int64_t i = 0; i < m.rows(); ++i) {
        for (std::int64_t k = 0; k < units; ++k) mean(i / bins, k) += static_cast<double>(m(i, k));
      }
      return mean;  // a sum: its scale does not matter to r
    };
    const auto column = column_pearson<double>(averaged(a), averaged(b));
    r.insert(r.end(), column.begin(), column.end());
  }
  return r;
}

struct Means {
  RunningMean published, plain, mapping, internal;
};

// Of all splits: [entries * units].
struct Accumulated {
  std::vector<RunningMean> published, plain, raw, mapping, internal;
};

UnitScores scores_of(const Accumulated& sums, std::int64_t entry, std::int64_t units) {
  const auto part = [&](const std::vector<RunningMean>& all) {
    std::vector<double> values;
    for (std::int64_t u = 0; u < units && !all.empty(); ++u) {
      values.push_back(all[static_cast<std::size_t>(entry * units + u)].mean());
    }
    return values;
  };
  return {part(sums.published), part(sums.plain), part(sums.raw), part(sums.mapping), part(sums.internal)};
}

}  // namespace

template <class T>
Matrix<T> predict_means(const CpuStream& stream, const MapSource<T>& source, const Trials& target, const Split& split,
                        std::size_t split_index, MapReport* report) {
  const Split rows = expand_bins(split, target.bins());
  const auto prepared = source.means(stream);
  return predict_whole(stream, *(*prepared)[split_index], rows_of<T>(target.means(), rows.train), std::ssize(rows.test),
                       report);
}

template <class T>
Predictivity predictivity(const CpuStream& stream, const MapSource<T>& source, const Trials& target,
                          const PredictivityConfig& config) {
  if (config.bootstraps > 0 && target.repeats() < 2) {
    throw InputError("responses of " + target.name() + " have " + std::to_string(target.repeats()) +
                     " repeat(s) of a stimulus: correction for noise needs two or more (or 0 bootstraps)");
  }
  const std::int64_t bins = target.bins(), units = target.units();
  const std::int64_t entries = bins > 1 ? bins + 1 : 1;
  const auto splits = std::ssize(config.splits);
  const auto count = static_cast<std::size_t>(entries * units);
  std::vector<Split> rows;
  for (const Split& split : config.splits) rows.push_back(expand_bins(split, bins));

  Predictivity result;
  const std::int64_t total = splits * (1 + 2 * static_cast<std::int64_t>(config.bootstraps));
  std::int64_t done = 0;
  const auto report_progress = [&](std::int64_t fits) {
    done += fits;
    if (config.progress && !config.progress(done, total)) result.complete = false;
    return result.complete;
  };
  std::atomic<std::int64_t> not_converged = 0;

  // Few tasks leave the threads to the maps.
  const auto run = [&](std::int64_t tasks, const auto& body) {
    if (tasks < stream.threads()) {
      for (std::int64_t task = 0; task < tasks; ++task) body(stream, task);
    } else {
      const CpuStream inner(1, true);
      stream.parallel_tasks(tasks, [&](std::int64_t task) { body(inner, task); });
    }
  };

  Accumulated sums;
  sums.raw.resize(count);
  {
    const auto prepared = source.means(stream);
    const Matrix<double> means = target.means();
    std::vector<std::vector<double>> raw(static_cast<std::size_t>(splits));
    run(splits, [&](const CpuStream& inner, std::int64_t s) {
      const Split& split = rows[static_cast<std::size_t>(s)];
      MapReport report;
      const Matrix<T> predicted = predict_whole(inner, *(*prepared)[static_cast<std::size_t>(s)],
                                                rows_of<T>(means, split.train), std::ssize(split.test), &report);
      not_converged += report.not_converged;
      raw[static_cast<std::size_t>(s)] = correlate(predicted, rows_of<T>(means, split.test), bins);
    });
    for (const auto& of_split : raw) {
      for (std::size_t i = 0; i < count; ++i) sums.raw[i].add(of_split[i]);
    }
    if (!report_progress(splits)) return result;
  }

  std::vector<std::vector<Means>> by_split(static_cast<std::size_t>(splits), std::vector<Means>(count));
  for (std::int64_t first = 0; first < config.bootstraps; first += kBatch) {
    const std::int64_t batch = std::min<std::int64_t>(kBatch, config.bootstraps - first);
    std::vector<std::vector<std::vector<HalfCorrelations>>> found(static_cast<std::size_t>(batch));  // [split][entry]
    run(batch, [&](const CpuStream& inner, std::int64_t task) {
      const auto draw = static_cast<std::uint32_t>(first + task);
      const TrialHalves halves = target.halves(config.seed, draw);
      const PreparedHalves<T> prepared = source.halves(inner, draw);
      auto& of_draw = found[static_cast<std::size_t>(task)];
      for (std::size_t s = 0; s < rows.size(); ++s) {
        const Split& split = rows[s];
        const std::int64_t tested = std::ssize(split.test);
        const auto fit = [&](const PreparedMap<T>& map, const Matrix<double>& half) {
          MapReport report;
          Matrix<T> predicted = predict_whole(inner, map, rows_of<T>(half, split.train), tested, &report);
          not_converged += report.not_converged;
          return predicted;
        };
        const Matrix<T> one = fit(*(*prepared.first)[s], halves.first);
        const Matrix<T> two = fit(*(*prepared.second)[s], halves.second);
        const Matrix<T> s1 = rows_of<T>(halves.first, split.test), s2 = rows_of<T>(halves.second, split.test);
        const auto prediction = correlate(one, s2, bins), mapping = correlate(one, two, bins),
                   internal = correlate(s1, s2, bins);
        auto& of_split = of_draw.emplace_back();
        for (std::size_t i = 0; i < count; ++i) of_split.push_back({prediction[i], mapping[i], internal[i]});
      }
    });
    for (const auto& of_draw : found) {
      for (std::size_t s = 0; s < of_draw.size(); ++s) {
        for (std::size_t i = 0; i < count; ++i) {
          const HalfCorrelations& r = of_draw[s][i];
          Means& means = by_split[s][i];
          means.published.add(published_correction(r));
          means.plain.add(plain_correction(r));
          means.mapping.add(r.mapping);
          means.internal.add(r.internal);
        }
      }
    }
    if (!report_progress(batch * splits * 2)) return result;
  }
  if (config.bootstraps > 0) {
    for (auto* part : {&sums.published, &sums.plain, &sums.mapping, &sums.internal}) part->resize(count);
    for (const auto& of_split : by_split) {
      for (std::size_t i = 0; i < count; ++i) {
        const Means& means = of_split[i];
        sums.published[i].add(means.published.mean());
        sums.plain[i].add(means.plain.mean());
        sums.mapping[i].add(means.mapping.mean());
        sums.internal[i].add(means.internal.mean());
        if (i < static_cast<std::size_t>(bins * units)) result.undefined += means.published.left_out();
      }
    }
  }
  for (std::int64_t bin = 0; bin < bins; ++bin) result.bins.push_back(scores_of(sums, bin, units));
  result.averaged = scores_of(sums, entries - 1, units);
  result.not_converged = not_converged;
  return result;
}

namespace {

UnitScores mean_of(const std::vector<const UnitScores*>& all) {
  UnitScores mean;
  for (const auto& [name, member] : kScoreForms) {
    std::vector<RunningMean> sums((all[0]->*member).size());
    for (const UnitScores* scores : all) {
      for (std::size_t u = 0; u < sums.size(); ++u) sums[u].add((scores->*member)[u]);
    }
    for (const RunningMean& sum : sums) (mean.*member).push_back(sum.mean());
  }
  return mean;
}

}  // namespace

Predictivity mean_over_sources(const std::vector<Predictivity>& sources) {
  Predictivity mean;
  for (std::size_t bin = 0; bin < sources.at(0).bins.size(); ++bin) {
    std::vector<const UnitScores*> all;
    for (const Predictivity& source : sources) all.push_back(&source.bins[bin]);
    mean.bins.push_back(mean_of(all));
  }
  std::vector<const UnitScores*> all;
  for (const Predictivity& source : sources) {
    all.push_back(&source.averaged);
    mean.undefined += source.undefined;
    mean.not_converged += source.not_converged;
    mean.complete = mean.complete && source.complete;
  }
  mean.averaged = mean_of(all);
  return mean;
}

#define CHIASM_INSTANTIATE(T)                                                                                       \
  template Matrix<T> predict_means(const CpuStream&, const MapSource<T>&, const Trials&, const Split&, std::size_t, \
                                   MapReport*);                                                                     \
  template Predictivity predictivity(const CpuStream&, const MapSource<T>&, const Trials&, const PredictivityConfig&);
CHIASM_INSTANTIATE(float)
CHIASM_INSTANTIATE(double)
#undef CHIASM_INSTANTIATE

}  // namespace chiasm

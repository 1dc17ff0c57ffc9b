// SPDX-License-Identifier: Apache-2.0
#include "analysis/reliability/split_half.h"

#include <cmath>

#include "analysis/reliability/running_mean.h"
#include "analysis/reliability/spearman_brown.h"
#include "analysis/statistics/correlation.h"
#include "kernels/error.h"

namespace chiasm {

SplitHalf split_half(const CpuStream& stream, const Trials& trials, int draws, std::uint64_t seed) {
  if (trials.repeats() < 2) {
    throw InputError("responses of " + trials.name() + " have " + std::to_string(trials.repeats()) +
                     " repeat(s) of a stimulus: reliability needs two or more");
  }
  if (draws < 1) throw InputError("reliability from " + std::to_string(draws) + " draws: it needs one or more");
  const std::int64_t bins = trials.bins(), units = trials.units();
  std::vector<std::vector<double>> r(static_cast<std::size_t>(draws));  // [draws][bins * units]
  stream.parallel_tasks(draws, [&](std::int64_t draw) {
    const TrialHalves halves = trials.halves(seed, static_cast<std::uint32_t>(draw));
    auto& of_draw = r[static_cast<std::size_t>(draw)];
    for (std::int64_t bin = 0; bin < bins; ++bin) {
      // Every bins-th row.
      const auto rows_of = [&](const Matrix<double>& m) {
        return MatrixView<double>{m.data() + bin * units, trials.stimuli(), units, bins * units};
      };
      const std::vector<double> of_bin = column_pearson(rows_of(halves.first), rows_of(halves.second));
      of_draw.insert(of_draw.end(), of_bin.begin(), of_bin.end());
    }
  });
  SplitHalf result;
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    std::vector<double>& corrected = result.reliability.emplace_back();
    std::vector<double>& plain = result.half_reliability.emplace_back();
    for (std::int64_t unit = 0; unit < units; ++unit) {
      RunningMean full, half;
      for (const auto& of_draw : r) {
        const double rho = of_draw[static_cast<std::size_t>(bin * units + unit)];
        half.add(rho);
        full.add(spearman_brown(rho));
      }
      result.undefined += half.left_out();
      corrected.push_back(full.mean());
      plain.push_back(half.mean());
    }
  }
  return result;
}

}  // namespace chiasm

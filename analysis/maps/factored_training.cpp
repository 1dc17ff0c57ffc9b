// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored_training.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kRoundSteps = 40;
constexpr std::int64_t kAnnealing = std::int64_t{1} << 31;  // epochs of the second phase are numbered from here

struct Watch {
  std::int64_t unit = 0;
  double reference = std::numeric_limits<double>::infinity();
  int rounds = 0;  // without a fall of more than the tolerance below the reference
  bool done = false;
};

template <class T>
class Trainer {
 public:
  Trainer(const CpuStream& stream, const FactoredProblem<T>& problem, const FactoredSize& size,
          const FactoredOptions& options, std::int64_t first_unit)
      : stream_(stream), problem_(problem), size_(size), options_(options), first_unit_(first_unit) {
    result_.weights = initial_factored_weights<T>(size, options);
    result_.loss.resize(static_cast<std::size_t>(size.units));
    result_.converged.resize(static_cast<std::size_t>(size.units));
  }

  FactoredTraining<T> run() {
    at_full_rate();
    if (options_.anneal_steps > 0) anneal();
    return std::move(result_);
  }

 private:
  // The mean loss of each unit of the program over its steps.
  std::vector<double> epoch(FactoredProgram<T>& program, const Matrix<T>& y, std::int64_t number,
                            const std::function<double()>& rate) {
    std::vector<double> losses(static_cast<std::size_t>(y.columns()));
    const std::int64_t before = program.steps();
    const auto seed = static_cast<std::uint32_t>(options_.seed * 0x9E3779B1u + static_cast<std::uint64_t>(number));
    for_each_batch<T>(problem_.source, problem_.rows, size_.batch, seed, [&](const FactoredBatch<T>& batch) {
      const std::span<const T> found = program.step(batch, problem_.features, y, rate());
      for (std::size_t k = 0; k < losses.size(); ++k) losses[k] += static_cast<double>(found[k]);
    });
    steps_per_epoch_ = program.steps() - before;
    for (double& loss : losses) loss /= static_cast<double>(steps_per_epoch_);
    return losses;
  }

  // A round: see FactoredOptions::tolerance.
  std::vector<double> round(FactoredProgram<T>& program, const Matrix<T>& y, std::int64_t& number) {
    std::vector<double> losses(static_cast<std::size_t>(y.columns()));
    const std::int64_t before = program.steps();
    int epochs = 0;
    for (; program.steps() - before < kRoundSteps; ++epochs) {
      const std::vector<double> found = epoch(program, y, number++, [&] { return options_.rate; });
      std::ranges::transform(losses, found, losses.begin(), std::plus<>());
    }
    for (double& loss : losses) loss /= epochs;
    return losses;
  }

  void require_finite(double loss, std::int64_t unit) const {
    if (std::isfinite(loss)) return;
    const std::string name = "unit " + std::to_string(first_unit_ + unit);
    throw NumericalError(name, "factored map: the loss of " + name + " (of those that vary, counted from 0) is " +
                                   std::to_string(loss) + "; the rate " + std::to_string(options_.rate) +
                                   " is too large");
  }

  // Whether the unit is done, after one more round.
  bool look_at(Watch& watch, double loss, bool last) {
    require_finite(loss, watch.unit);
    const auto unit = static_cast<std::size_t>(watch.unit);
    if (watch.reference - loss > options_.tolerance * problem_.variance[unit]) {
      watch.reference = loss;
      watch.rounds = 0;
    } else {
      ++watch.rounds;
    }
    result_.loss[unit] = loss;
    result_.converged[unit] = watch.rounds >= options_.patience;
    return result_.converged[unit] || last;
  }

  Matrix<T> targets(std::span<const Watch> watches) const {
    Matrix<T> y(problem_.y.rows(), std::ssize(watches));
    for (std::int64_t i = 0; i < y.rows(); ++i) {
      for (std::size_t k = 0; k < watches.size(); ++k) y.row(i)[k] = problem_.y(i, watches[k].unit);
    }
    return y;
  }

  void at_full_rate() {
    FactoredProgram<T> program(stream_, size_, options_);
    program.set_weights(result_.weights);
    std::vector<Watch> watches(static_cast<std::size_t>(size_.units));  // of the units of the program
    for (std::size_t k = 0; k < watches.size(); ++k) watches[k].unit = static_cast<std::int64_t>(k);
    Matrix<T> y = targets(watches);
    std::int64_t number = 0;
    while (!watches.empty()) {
      const std::vector<double> losses = round(program, y, number);
      const bool last = program.steps() >= options_.max_steps;
      std::vector<std::int64_t> columns, units, left;
      for (std::size_t k = 0; k < watches.size(); ++k) {
        const auto column = static_cast<std::int64_t>(k);
        if (!watches[k].done && look_at(watches[k], losses[k], last)) {
          watches[k].done = true;
          columns.push_back(column);
          units.push_back(watches[k].unit);
        }
        if (!watches[k].done) left.push_back(column);
      }
      if (!columns.empty()) result_.weights.set_columns(units, program.weights().columns(columns));
      if (left.empty()) return;
      if (2 * std::ssize(left) > std::ssize(watches)) continue;  // a smaller program pays once half of them are done
      program = program.keep(left);
      std::erase_if(watches, [](const Watch& watch) { return watch.done; });
      y = targets(watches);
    }
  }

  void anneal() {
    FactoredProgram<T> program(stream_, size_, options_);
    program.set_weights(result_.weights);
    const std::int64_t epochs = (options_.anneal_steps + steps_per_epoch_ - 1) / steps_per_epoch_;
    const auto total = static_cast<double>(epochs * steps_per_epoch_);
    const auto rate = [&] {
      return options_.rate * 0.5 * (1.0 + std::cos(std::numbers::pi * static_cast<double>(program.steps()) / total));
    };
    for (std::int64_t i = 0; i < epochs; ++i) result_.loss = epoch(program, problem_.y, kAnnealing + i, rate);
    for (std::size_t k = 0; k < result_.loss.size(); ++k) require_finite(result_.loss[k], static_cast<std::int64_t>(k));
    result_.weights = program.weights();
  }

  const CpuStream& stream_;
  const FactoredProblem<T>& problem_;
  FactoredSize size_;
  const FactoredOptions& options_;
  std::int64_t first_unit_;
  std::int64_t steps_per_epoch_ = 1;
  FactoredTraining<T> result_;
};

}  // namespace

template <class T>
FactoredTraining<T> train_factored(const CpuStream& stream, const FactoredProblem<T>& problem, const FactoredSize& size,
                                   const FactoredOptions& options, std::int64_t first_unit) {
  return Trainer<T>(stream, problem, size, options, first_unit).run();
}

template FactoredTraining<float> train_factored(const CpuStream&, const FactoredProblem<float>&, const FactoredSize&,
                                                const FactoredOptions&, std::int64_t);
template FactoredTraining<double> train_factored(const CpuStream&, const FactoredProblem<double>&, const FactoredSize&,
                                                 const FactoredOptions&, std::int64_t);

}  // namespace chiasm

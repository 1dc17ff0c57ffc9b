// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>

#include "analysis/maps/factored_training.h"
#include "analysis/maps/products.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGroupBytes = std::int64_t{64} << 20;  // contraction of the units that are trained together

std::vector<std::int64_t> counted(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> columns(static_cast<std::size_t>(count));
  std::iota(columns.begin(), columns.end(), first);
  return columns;
}

template <class T>
std::int64_t units_together(const FactoredSize& size) {
  return std::max<std::int64_t>(1,
                                kGroupBytes / (size.batch * size.positions() * static_cast<std::int64_t>(sizeof(T))));
}

template <class T>
Matrix<T> scaled_columns(MatrixView<T> y, std::span<const std::int64_t> columns, const FactoredFit<T>& fit) {
  Matrix<T> scaled(y.rows, std::ssize(columns));
  for (std::int64_t i = 0; i < y.rows; ++i) {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const auto unit = static_cast<std::size_t>(columns[k]);
      scaled.row(i)[k] = static_cast<T>((static_cast<double>(y(i, columns[k])) - fit.mean[unit]) / fit.deviation[unit]);
    }
  }
  return scaled;
}

template <class T>
FactoredWeights<T> empty_weights(const FactoredSize& size) {
  return {Matrix<T>(size.positions(), size.units), Matrix<T>(size.channels, size.units), Matrix<T>(1, size.units)};
}

}  // namespace

template <class T>
std::int64_t FactoredFit<T>::not_converged() const {
  return std::ranges::count(converged, false);
}

FactoredSize factored_layer(const Shape& shape, std::int64_t units) {
  if (shape.rank() == 0) return {.channels = units};
  if ((shape.rank() != 1 && shape.rank() != 3) || shape.elements() != units) {
    throw InputError("factored map: the shape of a layer must be height, width and channels, or channels, with " +
                     std::to_string(units) + " units in all; found " + to_string(shape));
  }
  if (shape.rank() == 1) return {.channels = units};
  return {.height = shape[0], .width = shape[1], .channels = shape[2]};
}

void require_valid(const FactoredOptions& options) {
  const auto require = [](bool valid, const char* field, auto found, const char* allowed) {
    if (valid) return;
    throw InputError(std::string("factored map: ") + field + ": found " + std::to_string(found) + ", must be " +
                     allowed);
  };
  const auto finite = [](double value) { return value >= 0.0 && std::isfinite(value); };
  const FactoredPenalties& p = options.penalties;
  for (const auto& [field, strength] :
       {std::pair{"space_l2", p.space_l2}, std::pair{"channels_l2", p.channels_l2}, std::pair{"space_l1", p.space_l1},
        std::pair{"channels_l1", p.channels_l1}, std::pair{"smoothness", p.smoothness}, std::pair{"group", p.group}}) {
    require(finite(strength), field, strength, "a finite number of at least 0");
  }
  require(finite(options.rate) && options.rate > 0.0, "rate", options.rate, "a finite number above 0");
  require(finite(options.tolerance), "tolerance", options.tolerance, "a finite number of at least 0");
  require(options.batch >= 1, "batch", options.batch, "at least 1");
  require(options.patience >= 1, "patience", options.patience, "at least 1");
  require(options.max_steps >= 1, "max_steps", options.max_steps, "at least 1");
  require(options.anneal_steps >= 0, "anneal_steps", options.anneal_steps, "at least 0");
  require(options.fan_units >= 1, "fan_units", options.fan_units, "at least 1");
}

template <class T>
FactoredFit<T> fit_factored(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows,
                            const FeatureScaling<T>& features, MatrixView<T> y, const FactoredSize& layer,
                            const FactoredOptions& options) {
  FactoredFit<T> fit;
  fit.size = layer;
  fit.size.batch = even_batch(std::ssize(rows), options.batch);
  fit.size.units = y.columns;
  fit.features = features;
  const ColumnMoments moments = column_moments(stream, y);
  std::vector<double> variance(moments.squares.size());  // of what is fitted
  fit.mean.assign(variance.size(), 0.0);
  fit.deviation.assign(variance.size(), 1.0);
  for (std::size_t n = 0; n < variance.size(); ++n) {
    variance[n] = moments.squares[n] / static_cast<double>(y.rows);
    if (options.scale == FeatureScale::kNone || variance[n] == 0.0) continue;
    fit.mean[n] = moments.mean[n];
    fit.deviation[n] = std::sqrt(variance[n]);
    variance[n] = 1.0;
  }
  fit.weights = empty_weights<T>(fit.size);
  fit.loss.resize(variance.size());
  fit.converged.resize(variance.size());
  const std::int64_t together = units_together<T>(fit.size);
  for (std::int64_t first = 0; first < y.columns; first += together) {
    FactoredSize size = fit.size;
    size.units = std::min(together, y.columns - first);
    const std::vector<std::int64_t> columns = counted(first, size.units);
    const Matrix<T> targets = scaled_columns(y, columns, fit);
    const FactoredTraining<T> trained = train_factored<T>(
        stream, {source, rows, features, targets, std::span(variance).subspan(static_cast<std::size_t>(first))}, size,
        options, first);
    fit.weights.set_columns(columns, trained.weights);
    std::ranges::copy(trained.loss, fit.loss.begin() + first);
    std::copy(trained.converged.begin(), trained.converged.end(), fit.converged.begin() + first);
  }
  return fit;
}

template <class T>
Matrix<T> predict_factored(const CpuStream& stream, const Source<T>& source, std::span<const std::int64_t> rows,
                           const FactoredFit<T>& fit) {
  Matrix<T> predictions(std::ssize(rows), fit.size.units);
  FactoredSize size = fit.size;
  size.batch = even_batch(predictions.rows(), fit.size.batch);
  const std::int64_t together = units_together<T>(size);
  for (std::int64_t first = 0; first < fit.size.units; first += together) {
    size.units = std::min(together, fit.size.units - first);
    FactoredProgram<T> program(stream, size);
    program.set_weights(fit.weights.columns(counted(first, size.units)));
    for_each_batch<T>(source, rows, size.batch, std::nullopt, [&](const FactoredBatch<T>& batch) {
      const MatrixView<T> scaled = program.predict(batch, fit.features);
      for (std::size_t i = 0; i < batch.positions.size(); ++i) {
        for (std::int64_t k = 0; k < size.units; ++k) {
          const auto unit = static_cast<std::size_t>(first + k);
          predictions(batch.positions[i], first + k) = static_cast<T>(
              fit.mean[unit] + fit.deviation[unit] * static_cast<double>(scaled(static_cast<std::int64_t>(i), k)));
        }
      }
    });
  }
  return predictions;
}

template <class T>
FactoredCoefficients coefficients(const FactoredFit<T>& fit) {
  const std::int64_t units = fit.size.units, channels = fit.size.channels;
  FactoredCoefficients found{Matrix<double>(units, fit.size.positions()), Matrix<double>(units, channels),
                             std::vector<double>(static_cast<std::size_t>(units))};
  for (std::int64_t n = 0; n < units; ++n) {
    const auto unit = static_cast<std::size_t>(n);
    for (std::int64_t c = 0; c < channels; ++c) {
      found.channels(n, c) =
          static_cast<double>(fit.weights.channels(c, n)) * static_cast<double>(fit.features.factor[c]);
    }
    double of_means = 0.0;
    for (std::int64_t p = 0; p < fit.size.positions(); ++p) {
      found.space(n, p) = static_cast<double>(fit.weights.space(p, n)) * fit.deviation[unit];
      double contracted = 0.0;
      for (std::int64_t c = 0; c < channels; ++c) {
        contracted += found.channels(n, c) * static_cast<double>(fit.features.mean[p * channels + c]);
      }
      of_means += found.space(n, p) * contracted;
    }
    found.bias[unit] = fit.mean[unit] + fit.deviation[unit] * static_cast<double>(fit.weights.bias(0, n)) - of_means;
  }
  return found;
}

template struct FactoredFit<float>;
template struct FactoredFit<double>;
template FactoredFit<float> fit_factored(const CpuStream&, const Source<float>&, std::span<const std::int64_t>,
                                         const FeatureScaling<float>&, MatrixView<float>, const FactoredSize&,
                                         const FactoredOptions&);
template FactoredFit<double> fit_factored(const CpuStream&, const Source<double>&, std::span<const std::int64_t>,
                                          const FeatureScaling<double>&, MatrixView<double>, const FactoredSize&,
                                          const FactoredOptions&);
template Matrix<float> predict_factored(const CpuStream&, const Source<float>&, std::span<const std::int64_t>,
                                        const FactoredFit<float>&);
template Matrix<double> predict_factored(const CpuStream&, const Source<double>&, std::span<const std::int64_t>,
                                         const FactoredFit<double>&);
template FactoredCoefficients coefficients(const FactoredFit<float>&);
template FactoredCoefficients coefficients(const FactoredFit<double>&);

}  // namespace chiasm

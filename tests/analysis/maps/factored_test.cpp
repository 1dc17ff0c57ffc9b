// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "analysis/maps/map.h"
#include "analysis/statistics/correlation.h"
#include "kernels/error.h"
#include "tests/analysis/maps/factored_reference.h"

namespace chiasm::test {
namespace {

std::vector<std::int64_t> range(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

// Features like those of a layer: rectified, of unlike size per channel, correlated between neighbouring positions.
// Responses: Gaussian receptive fields of random channel weights, with signal variance 1 and noise variance `noise`^2.
template <class T>
struct Recording {
  Recording(std::int64_t rows, std::int64_t side, std::int64_t channel_count, std::int64_t units, double noise)
      : x(rows, side * side * channel_count), y(rows, units), clean(rows, units), shape({side, side, channel_count}) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    for (std::int64_t i = 0; i < rows; ++i) {
      double previous[64] = {};
      for (std::int64_t k = 0; k < x.columns(); ++k) {
        double& state = previous[k % channel_count];
        state = 0.7 * state + normal(random);
        x(i, k) = static_cast<T>(std::max(0.0, state + 0.5) * static_cast<double>(1 + k % channel_count % 3));
      }
    }
    for (std::int64_t n = 0; n < units; ++n) {
      FactoredUnit unit{std::vector<double>(static_cast<std::size_t>(side * side)),
                        std::vector<double>(static_cast<std::size_t>(channel_count)), 0.0};
      const double row = static_cast<double>(n % side), column = static_cast<double>((n * 2 + 1) % side);
      for (std::int64_t p = 0; p < side * side; ++p) {
        const double dy = static_cast<double>(p / side) - row, dx = static_cast<double>(p % side) - column;
        unit.space[static_cast<std::size_t>(p)] = std::exp(-(dy * dy + dx * dx) / 3.0);
      }
      for (double& value : unit.channels) value = normal(random);
      const Matrix<double> all(x.rows(), x.columns(), std::vector<double>(x.values().begin(), x.values().end()));
      const std::vector<double> signal = predicted(all, unit);
      double mean = 0.0, variance = 0.0;
      for (const double value : signal) mean += value / static_cast<double>(rows);
      for (const double value : signal) variance += (value - mean) * (value - mean) / static_cast<double>(rows);
      for (std::int64_t i = 0; i < rows; ++i) {
        clean(i, n) = static_cast<T>(4.0 + (signal[static_cast<std::size_t>(i)] - mean) / std::sqrt(variance));
        y(i, n) = clean(i, n) + static_cast<T>(noise * normal(random));
      }
    }
  }
  Matrix<T> x, y, clean;
  Shape shape;
};

template <class T>
FactoredFit<T> fit(const CpuStream& stream, const Source<T>& source, std::int64_t rows, MatrixView<T> y,
                   const Shape& shape, const FactoredOptions& options) {
  const FactoredSize layer = factored_layer(shape, source.units());
  const std::vector<std::int64_t> train = range(0, rows);
  return fit_factored<T>(stream, source, train,
                         feature_scaling<T>(stream, source, train, layer.channels, options.scale), y, layer, options);
}

// x and y as the scaled problem has them.
template <class T>
Matrix<double> scaled(const Matrix<T>& x, const FeatureScaling<T>& scaling) {
  Matrix<double> to(x.rows(), x.columns());
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    for (std::int64_t k = 0; k < x.columns(); ++k) {
      to(i, k) = (static_cast<double>(x(i, k)) - static_cast<double>(scaling.mean[k])) *
                 static_cast<double>(scaling.factor[k]);
    }
  }
  return to;
}

// Training in batches ends at the loss of the exact solution. It cannot be below; above it is what the batches' noise
// and the tolerance leave: at most a thousandth of the variance of the responses, the tolerance per 5 rounds.
template <class T>
void expect_exact_loss(const Optimizer& optimizer, double rate, std::int64_t batch) {
  const Recording<T> recording(160, 3, 4, 3, 0.5);
  const double l2 = 0.02;
  FactoredOptions options{.optimizer = optimizer, .rate = rate, .batch = batch, .tolerance = 1e-4};
  options.penalties = {.space_l2 = l2, .channels_l2 = l2};
  const auto found = fit<T>(CpuStream(1), Source<T>(recording.x), 160, recording.y, recording.shape, options);
  EXPECT_EQ(found.not_converged(), 0);
  const Matrix<double> x = scaled(recording.x, found.features);
  for (std::int64_t n = 0; n < 3; ++n) {
    std::vector<double> y(160);
    for (std::int64_t i = 0; i < 160; ++i) {
      y[static_cast<std::size_t>(i)] = (static_cast<double>(recording.y(i, n)) - found.mean[n]) / found.deviation[n];
    }
    FactoredUnit unit{{}, {}, static_cast<double>(found.weights.bias(0, n))};
    for (std::int64_t p = 0; p < 9; ++p) unit.space.push_back(static_cast<double>(found.weights.space(p, n)));
    for (std::int64_t c = 0; c < 4; ++c) unit.channels.push_back(static_cast<double>(found.weights.channels(c, n)));
    const double exact = squared_loss(x, y, alternating_least_squares(x, y, 4, l2), l2);
    const double trained = squared_loss(x, y, unit, l2);
    EXPECT_GT(exact, 0.1) << "noise of half the signal's size must be left";
    EXPECT_GT(trained, exact - 1e-6) << n;
    EXPECT_LT(trained, exact + 1e-3) << n;
    // What is reported was met while the weights still moved a little.
    EXPECT_NEAR(found.loss[static_cast<std::size_t>(n)], trained, 0.02) << n;
  }
}

TEST(Factored, ReachesTheLossOfAlternatingLeastSquares) {
  expect_exact_loss<double>({.rule = Adam{}}, 5e-3, 160);
  expect_exact_loss<float>({.rule = Adam{}}, 5e-3, 32);
  expect_exact_loss<float>({.rule = Sgd{.momentum = 0.9}}, 5e-3, 32);
}

// Noise as large as half the signal: 400 rows for 45 coefficients leave an error variance of about 0.25 * 45 / 400 =
// 0.03 beside a signal of 1, r = 1 / sqrt(1.03) = 0.985 with the noiseless responses to new stimuli. Shrinkage and
// rounds that end early are given as much again.
TEST(Factored, RecoversAReceptiveField) {
  const Recording<float> recording(600, 6, 8, 5, 0.5);
  const Source<float> source(recording.x);
  MapOptions options{.method = "factored"};
  options.shape = recording.shape;
  const Split split{range(0, 400), range(400, 200)};
  const CpuStream stream(1);
  MapReport report;
  const auto map = make_map<float>(options);
  const Matrix<float> predictions =
      map->prepare(stream, source, split)->predict(stream, take_rows<float>(recording.y, split.train), &report);
  EXPECT_EQ(report.not_converged, 0);
  const Matrix<float> truth = take_rows<float>(recording.clean, split.test);
  for (const double r : column_pearson<float>(predictions, truth)) EXPECT_GT(r, 0.97);
  // Without the shape a unit is any linear map of 288 features, and 400 rows do not determine it as well.
  options.shape = {};
  const Matrix<float> flat = make_map<float>(options)
                                 ->prepare(stream, source, split)
                                 ->predict(stream, take_rows<float>(recording.y, split.train));
  for (const double r : column_pearson<float>(flat, truth)) EXPECT_LT(r, 0.95);
}

// Rounding differs where products of matrices have other sizes, and training carries it along; no more than that.
TEST(Factored, AUnitDoesNotDependOnTheOthers) {
  const Recording<double> recording(120, 3, 4, 6, 0.4);
  const Source<double> source(recording.x);
  FactoredOptions options{.batch = 50};
  options.penalties = {.space_l2 = 0.01, .channels_l2 = 0.01, .space_l1 = 0.01, .smoothness = 0.01, .group = 0.02};
  const auto together = fit<double>(CpuStream(1), source, 120, recording.y, recording.shape, options);
  for (std::int64_t n = 0; n < 6; n += 2) {
    const auto alone =
        fit<double>(CpuStream(1), source, 120, {recording.y.data() + n, 120, 1, 6}, recording.shape, options);
    EXPECT_EQ(alone.converged[0], together.converged[n]);
    EXPECT_NEAR(alone.loss[0], together.loss[n], 1e-9);
    for (std::int64_t p = 0; p < 9; ++p) EXPECT_NEAR(alone.weights.space(p, 0), together.weights.space(p, n), 1e-8);
    for (std::int64_t c = 0; c < 4; ++c)
      EXPECT_NEAR(alone.weights.channels(c, 0), together.weights.channels(c, n), 1e-8);
  }
}

TEST(Factored, HasTheSameBitsForAnyThreadsAndAgain) {
  const Recording<float> recording(200, 5, 7, 9, 0.5);
  const Source<float> source(recording.x);
  const FactoredOptions options{.batch = 64, .max_steps = 200, .anneal_steps = 50};
  const auto one = fit<float>(CpuStream(1), source, 200, recording.y, recording.shape, options);
  for (const int threads : {1, 2}) {
    const CpuStream stream(threads);
    const auto again = fit<float>(stream, source, 200, recording.y, recording.shape, options);
    EXPECT_EQ(again.weights.space, one.weights.space) << threads;
    EXPECT_EQ(again.weights.channels, one.weights.channels) << threads;
    EXPECT_EQ(again.weights.bias, one.weights.bias) << threads;
    EXPECT_EQ(predict_factored<float>(stream, source, range(0, 200), again),
              predict_factored<float>(CpuStream(1), source, range(0, 200), one));
  }
  FactoredOptions other = options;
  other.seed = 1;
  EXPECT_NE(fit<float>(CpuStream(1), source, 200, recording.y, recording.shape, other).weights.space,
            one.weights.space);
}

// The coefficients are of the features and responses as they came, also when both are large and far from zero.
TEST(Factored, CoefficientsUndoTheScaling) {
  Recording<double> recording(90, 3, 5, 4, 0.3);
  for (double& value : recording.x.values()) value = 1000.0 * value + 70.0;
  for (double& value : recording.y.values()) value = 0.02 * value - 3.0;
  const Source<double> source(recording.x);
  for (const FeatureScale scale : {FeatureScale::kLayer, FeatureScale::kChannel}) {
    const auto found =
        fit<double>(CpuStream(1), source, 90, recording.y, recording.shape, {.scale = scale, .max_steps = 300});
    const FactoredCoefficients original = coefficients(found);
    const Matrix<double> predictions = predict_factored<double>(CpuStream(1), source, range(0, 90), found);
    double explained = 0.0;
    for (std::int64_t n = 0; n < 4; ++n) {
      const auto space = original.space.row(n), channels = original.channels.row(n);
      const FactoredUnit unit{
          {space.begin(), space.end()}, {channels.begin(), channels.end()}, original.bias[static_cast<std::size_t>(n)]};
      const std::vector<double> plain = predicted(recording.x, unit);
      // Terms reach about 1000 times the predictions.
      for (std::int64_t i = 0; i < 90; ++i) EXPECT_NEAR(plain[static_cast<std::size_t>(i)], predictions(i, n), 1e-11);
    }
    for (const double r : column_pearson<double>(predictions, recording.y)) explained += r / 4;
    EXPECT_GT(explained, 0.9);
  }
}

// The same training for features and responses in other units: only rounding differs.
TEST(Factored, UnitsOfMeasurementDoNotMatter) {
  const Recording<double> recording(90, 3, 5, 2, 0.3);
  Matrix<double> x = recording.x, y = recording.y;
  for (double& value : x.values()) value = 50.0 * value + 7.0;
  for (double& value : y.values()) value = 0.1 * value + 2.0;
  const FactoredOptions options{.max_steps = 200};
  const Source<double> source(recording.x), other(x);
  const CpuStream stream(1);
  const auto first = fit<double>(stream, source, 90, recording.y, recording.shape, options);
  const auto second = fit<double>(stream, other, 90, y, recording.shape, options);
  const Matrix<double> a = predict_factored<double>(stream, source, range(0, 90), first);
  const Matrix<double> b = predict_factored<double>(stream, other, range(0, 90), second);
  for (std::int64_t i = 0; i < 90; ++i) EXPECT_NEAR(b(i, 0), 0.1 * a(i, 0) + 2.0, 1e-8);
}

// FeatureScale::kNone is the study's problem: raw features and responses, biases that start from 1.
TEST(Factored, WithoutScalingNothingIsTouched) {
  Recording<float> recording(120, 3, 4, 2, 0.2);
  const FactoredOptions options{
      .scale = FeatureScale::kNone, .optimizer = {.rule = Sgd{.momentum = 0.9}}, .rate = 1e-3};
  const auto found = fit<float>(CpuStream(1), Source<float>(recording.x), 120, recording.y, recording.shape, options);
  EXPECT_EQ(found.mean, std::vector<double>(2, 0.0));
  EXPECT_EQ(found.deviation, std::vector<double>(2, 1.0));
  EXPECT_EQ(found.not_converged(), 0);
  for (const double loss : found.loss) EXPECT_LT(loss, 0.15);  // of a variance of about 1.04, 0.04 of it noise
}

TEST(Factored, StartsFromTheDrawsOfTheJointTensors) {
  const FactoredSize size{.height = 20, .width = 30, .channels = 50, .units = 3};
  const auto weights = initial_factored_weights<double>(size, {.seed = 4, .fan_units = 80});
  const double space = std::sqrt(6.0 / (600.0 * 80.0 + 600.0)), channels = std::sqrt(6.0 / (50.0 + 80.0));
  const auto largest = [](const Matrix<double>& values) {
    double most = 0.0;
    for (const double value : values.values()) most = std::max(most, std::abs(value));
    return most;
  };
  // The largest of 600 and of 50 uniform magnitudes is below 0.98 and 0.85 of the limit once in 10^5 and 10^3 seeds.
  EXPECT_LE(largest(weights.space), space);
  EXPECT_GT(largest(weights.space), 0.98 * space);
  EXPECT_LE(largest(weights.channels), channels);
  EXPECT_GT(largest(weights.channels), 0.85 * channels);
  EXPECT_EQ(weights.bias, Matrix<double>(1, 3, {1, 1, 1}));
  for (std::int64_t p = 0; p < 600; ++p) EXPECT_EQ(weights.space(p, 0), weights.space(p, 2));
}

TEST(Factored, CountsUnitsThatStopAtTheLimit) {
  const Recording<float> recording(100, 3, 4, 3, 0.3);
  MapOptions options{.method = "factored"};
  options.shape = recording.shape;
  options.factored.max_steps = 1;
  const CpuStream stream(1);
  MapReport report;
  Matrix<float> y(100, 5);  // two units of them cannot be fitted
  for (std::int64_t i = 0; i < 100; ++i) {
    for (std::int64_t n = 0; n < 3; ++n) y(i, n) = recording.y(i, n);
    y(i, 3) = 2.5f;
    y(i, 4) = i == 50 ? std::numeric_limits<float>::quiet_NaN() : 1.0f;
  }
  const Matrix<float> predictions = make_map<float>(options)
                                        ->prepare(stream, Source<float>(recording.x), {range(0, 100), range(0, 100)})
                                        ->predict(stream, y, &report);
  EXPECT_EQ(report.not_converged, 3);
  EXPECT_EQ(report.constant, 1);
  EXPECT_EQ(report.not_finite, 1);
  EXPECT_EQ(predictions(3, 3), 2.5f);
  EXPECT_TRUE(std::isnan(predictions(3, 4)));
}

TEST(Factored, SaysWhatItCannotDo) {
  const Recording<float> recording(40, 3, 4, 2, 0.3);
  const Source<float> source(recording.x);
  const Split split{range(0, 30), range(30, 10)};
  const CpuStream stream(1);
  MapOptions options{.method = "factored", .shape = {3, 3, 5}};
  EXPECT_THROW(make_map<float>(options)->prepare(stream, source, split), InputError);
  options.shape = {6, 6};
  EXPECT_THROW(make_map<float>(options)->prepare(stream, source, split), InputError);
  options.shape = {};
  options.factored.penalties.smoothness = 1.0;  // 1 x 1 x 36
  EXPECT_THROW(make_map<float>(options)->prepare(stream, source, split), InputError);
  options.shape = recording.shape;
  EXPECT_NO_THROW(make_map<float>(options)->prepare(stream, source, split));
  options.factored.rate = 0.0;
  EXPECT_THROW(make_map<float>(options), InputError);
  options.factored.rate = 1e-3;
  options.factored.penalties.group = -1.0;
  EXPECT_THROW(make_map<float>(options), InputError);

  FactoredOptions diverging{.optimizer = {.rule = Sgd{.momentum = 0.9}}, .rate = 1e3};
  try {
    fit<float>(stream, source, 40, recording.y, recording.shape, diverging);
    FAIL() << "no error";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("too large"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace chiasm::test

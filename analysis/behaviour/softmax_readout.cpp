// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/softmax_readout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "analysis/behaviour/linear_svm.h"
#include "kernels/error.h"
#include "kernels/random/random_stream.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

// Kingma & Ba 2015, with the defaults of the public implementation.
constexpr float kBeta1 = 0.9f, kBeta2 = 0.999f, kEpsilon = 1e-8f;
// Of a normal distribution cut at two standard deviations, in those of the whole.
constexpr double kCutDeviation = 0.87962566103423978;

void require_options(const SoftmaxOptions& options) {
  if (!(options.learning_rate > 0.0) || options.epochs < 1 || options.batch < 1 || !(options.weight_decay >= 0.0)) {
    throw InputError("a softmax readout with learning rate " + std::to_string(options.learning_rate) + ", " +
                     std::to_string(options.epochs) + " epochs, batches of " + std::to_string(options.batch) +
                     " and weight decay " + std::to_string(options.weight_decay) +
                     ": all but the last must be positive, and none negative");
  }
}

// Parameters and Adam's averages of one array.
struct Trained {
  std::vector<float> value, gradient, mean, square;

  explicit Trained(std::size_t size) : value(size), gradient(size), mean(size), square(size) {}

  void step(float rate, float decay) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const float g = gradient[i] + decay * value[i];
      mean[i] += (1.0f - kBeta1) * (g - mean[i]);
      square[i] += (1.0f - kBeta2) * (g * g - square[i]);
      value[i] -= rate * mean[i] / (std::sqrt(square[i]) + kEpsilon);
    }
  }
};

template <class T>
Matrix<float> z_scored(MatrixView<T> x, std::span<const std::int64_t> train) {
  const auto columns = static_cast<std::size_t>(x.columns);
  const double n = static_cast<double>(train.size());
  std::vector<double> mean(columns), deviation(columns);
  for (const std::int64_t i : train) {
    for (std::size_t k = 0; k < columns; ++k) mean[k] += static_cast<double>(x.row(i)[k]) / n;
  }
  for (const std::int64_t i : train) {
    for (std::size_t k = 0; k < columns; ++k) {
      const double from_mean = static_cast<double>(x.row(i)[k]) - mean[k];
      deviation[k] += from_mean * from_mean / n;
    }
  }
  for (std::size_t k = 0; k < columns; ++k) {
    // Less than rounding of the mean is no variance.
    const double least = 1e-14 * std::fabs(mean[k]);
    deviation[k] = std::sqrt(deviation[k]) > least ? std::sqrt(deviation[k]) : 1.0;
  }
  Matrix<float> z(x.rows, x.columns);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::size_t k = 0; k < columns; ++k) {
      z.row(i)[k] = static_cast<float>((static_cast<double>(x.row(i)[k]) - mean[k]) / deviation[k]);
    }
  }
  return z;
}

class Readout {
 public:
  Readout(std::int64_t features, int classes, std::uint64_t seed)
      : features_(features),
        classes_(classes),
        weights_(static_cast<std::size_t>(features * classes)),
        biases_(static_cast<std::size_t>(classes)) {
    const RandomStream random({seed, RandomPurpose::kInitialise});
    const double deviation = 1.0 / (kCutDeviation * std::sqrt(static_cast<double>(features)));
    for (std::size_t i = 0; i < weights_.value.size(); ++i) {
      weights_.value[i] = static_cast<float>(deviation * random.truncated_normal(i));
    }
    std::ranges::fill(biases_.value, 1.0f);
  }

  // Probabilities of each row of x [n, features].
  Matrix<float> probabilities(MatrixView<float> x) const {
    Matrix<float> p(x.rows, classes_);
    for (std::int64_t i = 0; i < x.rows; ++i) std::ranges::copy(biases_.value, p.row(i).begin());
    gemm(CpuStream(1), x.rows, classes_, features_, {x.data, x.stride, false}, {weights_.value.data(), features_, true},
         1.0f, p.data(), classes_);
    for (std::int64_t i = 0; i < x.rows; ++i) {
      const auto row = p.row(i);
      const float largest = *std::ranges::max_element(row);
      for (float& value : row) value = std::exp(value - largest);
      const float sum = std::accumulate(row.begin(), row.end(), 0.0f);
      for (float& value : row) value /= sum;
    }
    return p;
  }

  // One step of Adam on the rows of one batch; returns their mean cross entropy before it.
  double step(const Matrix<float>& x, std::span<const std::int32_t> labels, const SoftmaxOptions& options) {
    Matrix<float> error = probabilities(x);
    double loss = 0.0;
    const auto n = static_cast<float>(x.rows());
    std::ranges::fill(biases_.gradient, 0.0f);
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      const auto row = error.row(i);
      float& right = row[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
      loss -= std::log(std::max(static_cast<double>(right), 1e-300)) / static_cast<double>(n);
      right -= 1.0f;
      for (std::size_t k = 0; k < row.size(); ++k) {
        row[k] /= n;
        biases_.gradient[k] += row[k];
      }
    }
    gemm(CpuStream(1), classes_, features_, x.rows(), {error.data(), classes_, true}, {x.data(), features_, false},
         0.0f, weights_.gradient.data(), features_);
    ++steps_;
    const double rate = options.learning_rate * std::sqrt(1.0 - std::pow(double{kBeta2}, steps_)) /
                        (1.0 - std::pow(double{kBeta1}, steps_));
    const auto decay = static_cast<float>(options.weight_decay);
    weights_.step(static_cast<float>(rate), decay);
    biases_.step(static_cast<float>(rate), decay);
    return loss;
  }

 private:
  std::int64_t features_, classes_;
  Trained weights_, biases_;  // [classes, features], [classes]
  int steps_ = 0;
};

}  // namespace

template <class T>
Matrix<double> softmax_probabilities(MatrixView<T> x, std::span<const std::int64_t> train,
                                     std::span<const std::int32_t> labels, int classes, const SoftmaxOptions& options) {
  require_options(options);
  std::vector<std::int32_t> trained;
  for (const std::int64_t i : train) trained.push_back(labels[static_cast<std::size_t>(i)]);
  require_classes(trained, classes, "the training images of a softmax readout");
  const Matrix<float> z = z_scored(x, train);
  Readout readout(x.columns, classes, options.seed);
  std::vector<std::int64_t> order(train.begin(), train.end());
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    const RandomStream random({options.seed, RandomPurpose::kShuffle, static_cast<std::uint32_t>(epoch)});
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i, i)]);
    double loss = 0.0;
    for (std::int64_t begin = 0; begin < std::ssize(order); begin += options.batch) {
      const std::int64_t count = std::min(options.batch, std::ssize(order) - begin);
      const auto batch = std::span(order).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
      std::vector<std::int32_t> batch_labels;
      for (const std::int64_t i : batch) batch_labels.push_back(labels[static_cast<std::size_t>(i)]);
      loss = readout.step(take_rows(z.view(), batch), batch_labels, options);
    }
    if (loss < options.enough) break;
  }
  const Matrix<float> p = readout.probabilities(z);
  return {p.rows(), p.columns(), {p.values().begin(), p.values().end()}};
}

template Matrix<double> softmax_probabilities(MatrixView<float>, std::span<const std::int64_t>,
                                              std::span<const std::int32_t>, int, const SoftmaxOptions&);
template Matrix<double> softmax_probabilities(MatrixView<double>, std::span<const std::int64_t>,
                                              std::span<const std::int32_t>, int, const SoftmaxOptions&);

}  // namespace chiasm

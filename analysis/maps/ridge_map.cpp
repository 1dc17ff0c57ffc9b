// SPDX-License-Identifier: Apache-2.0
// Ridge as a map. Of several penalties each target gets its own: the one with the least mean squared leave-one-out
// error (as RidgeCV of scikit-learn, alpha_per_target), or with the largest mean correlation over contiguous folds of
// the training rows (as the published grid searches; a NaN in any fold is worst). Of equals, the first listed.
#include <algorithm>
#include <functional>
#include <limits>
#include <string>

#include "analysis/maps/centred_gram.h"
#include "analysis/maps/methods.h"
#include "analysis/maps/products.h"
#include "analysis/maps/ridge.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
Matrix<double> rows_about(const Source<T>& source, const std::vector<std::int64_t>& rows,
                          const std::vector<double>& mean) {
  const Matrix<T> x = source.rows(rows);
  Matrix<double> centred(x.rows(), x.columns());
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    std::ranges::transform(x.row(i), mean, centred.row(i).begin(),
                           [](T value, double m) { return static_cast<double>(value) - m; });
  }
  return centred;
}

// From the smaller side; from inner products also where the source does not fit.
template <class T>
RidgeBasis<T> basis_of(const CpuStream& stream, const Source<T>& source, const Split& split) {
  if (!source.fits() || source.units() >= std::ssize(split.train)) {
    return ridge_basis<T>(stream, centred_gram(source.gram(stream), split));
  }
  const std::vector<double> mean = column_moments<T>(stream, source, split.train).mean;
  return ridge_basis<T>(stream, rows_about(source, split.train, mean), rows_about(source, split.test, mean));
}

// In each column the penalty of the largest score; NaN is worst.
std::vector<double> best_of(const Matrix<double>& scores, const std::vector<double>& alphas) {
  std::vector<double> best(static_cast<std::size_t>(scores.columns()), alphas[0]);
  for (std::int64_t k = 0; k < scores.columns(); ++k) {
    double largest = -kInfinity;
    for (std::int64_t a = 0; a < scores.rows(); ++a) {
      if (scores(a, k) > largest) {
        largest = scores(a, k);
        best[static_cast<std::size_t>(k)] = alphas[static_cast<std::size_t>(a)];
      }
    }
  }
  return best;
}

template <class T>
struct Fold {
  Split split;  // of the rows of y
  RidgeBasis<T> basis;
};

template <class T>
class PreparedRidge final : public PreparedMap<T> {
 public:
  PreparedRidge(RidgeBasis<T> basis, std::vector<Fold<T>> folds, std::vector<double> alphas)
      : basis_(std::move(basis)), folds_(std::move(folds)), alphas_(std::move(alphas)) {}

  Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report) const override {
    const std::vector<double> chosen = choose(stream, y);
    if (report != nullptr) {
      *report = {};
      if (alphas_.size() > 1) report->alpha = chosen;
    }
    return ridge_predict(stream, basis_, y, chosen);
  }

 private:
  std::vector<double> choose(const CpuStream& stream, MatrixView<T> y) const {
    if (alphas_.size() == 1) return std::vector<double>(static_cast<std::size_t>(y.columns), alphas_[0]);
    if (folds_.empty()) return choose_by_leave_one_out(stream, basis_, y, alphas_);
    Matrix<double> sums(std::ssize(alphas_), y.columns);
    for (const Fold<T>& fold : folds_) {
      const Matrix<T> train = take_rows(y, fold.split.train), test = take_rows(y, fold.split.test);
      const Matrix<double> r = test_correlations<T>(stream, fold.basis, train, test, alphas_);
      std::ranges::transform(sums.values(), r.values(), sums.values().begin(), std::plus());  // NaN stays
    }
    return best_of(sums, alphas_);
  }

  RidgeBasis<T> basis_;
  std::vector<Fold<T>> folds_;
  std::vector<double> alphas_;
};

template <class T>
class Ridge final : public MapMethod<T> {
 public:
  Ridge(std::vector<double> alphas, int folds) : alphas_(std::move(alphas)), folds_(folds) {}

  std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                          const Split& split) const override {
    const auto rows = std::ssize(split.train);
    if (rows < 2) throw InputError("ridge: found one training stimulus, needs two or more");
    std::vector<Fold<T>> folds;
    if (alphas_.size() > 1 && folds_ > 0) {
      for (Split& fold : contiguous_folds(rows, folds_)) {
        if (fold.train.size() < 2) throw InputError("ridge: folds leave one training stimulus, two or more are needed");
        Split stimuli;
        for (const std::int64_t i : fold.train) stimuli.train.push_back(split.train[static_cast<std::size_t>(i)]);
        for (const std::int64_t i : fold.test) stimuli.test.push_back(split.train[static_cast<std::size_t>(i)]);
        folds.push_back({std::move(fold), basis_of(stream, source, stimuli)});
      }
    }
    return std::make_unique<PreparedRidge<T>>(basis_of(stream, source, split), std::move(folds), alphas_);
  }

 private:
  std::vector<double> alphas_;
  int folds_;
};

}  // namespace

template <class T>
std::unique_ptr<MapMethod<T>> ridge_map(const MapOptions& options) {
  if (options.alphas.empty()) throw InputError("ridge alphas: found none, needs one or more");
  const bool leave_one_out = options.alphas.size() > 1 && options.folds == 0;
  for (const double alpha : options.alphas) {
    if (!(alpha >= 0.0 && alpha < kInfinity) || (leave_one_out && alpha == 0.0)) {
      throw InputError("ridge alphas: found " + std::to_string(alpha) + ", must be finite and " +
                       (leave_one_out ? "above 0 where leave-one-out chooses" : "at least 0"));
    }
  }
  if (options.folds < 0 || options.folds == 1) {
    throw InputError("ridge folds: found " + std::to_string(options.folds) +
                     ", must be 0 (leave-one-out), or 2 or more");
  }
  if (options.alpha_over_n) throw InputError("ridge: alpha_over_n is for lasso and elasticnet");
  return std::make_unique<Ridge<T>>(options.alphas, options.folds);
}

template std::unique_ptr<MapMethod<float>> ridge_map(const MapOptions&);
template std::unique_ptr<MapMethod<double>> ridge_map(const MapOptions&);

}  // namespace chiasm

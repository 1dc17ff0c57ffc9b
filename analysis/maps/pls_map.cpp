// SPDX-License-Identifier: Apache-2.0
// PLS as a map: from inner products where there are far more units than stimuli, or more than memory holds.
#include <cmath>
#include <limits>
#include <string>

#include "analysis/maps/centred_gram.h"
#include "analysis/maps/methods.h"
#include "analysis/maps/pls.h"
#include "analysis/maps/products.h"
#include "kernels/error.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

void report_pls(const PlsRounds& rounds, MapReport* report) {
  if (report == nullptr) return;
  *report = {};
  report->components = static_cast<int>(rounds.of_component.size());
  report->not_converged = rounds.not_converged;
}

template <class T>
class PrimalPls final : public PreparedMap<T> {
 public:
  PrimalPls(const CpuStream& stream, const Source<T>& source, const Split& split, const PlsOptions& options)
      : options_(options),
        train_(pls_features(stream, source.rows(split.train), options.scale)),
        test_(source.rows(split.test)) {}

  Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report) const override {
    const PlsFit fit = fit_pls(stream, train_, y, options_);
    report_pls(fit.rounds, report);
    return fit.predict<T>(stream, test_, fit.components());
  }

 private:
  PlsOptions options_;
  PlsFeatures<T> train_;
  Matrix<T> test_;
};

template <class T>
class DualPls final : public PreparedMap<T> {
 public:
  DualPls(CentredGram gram, const PlsOptions& options) : options_(options), gram_(std::move(gram)) {}

  Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report) const override {
    const CpuStream fixed(stream.threads(), true);
    Standardised targets = standardise(fixed, y, options_.scale);
    const PlsDualFit fit = fit_pls_dual(fixed, gram_.train, std::move(targets.values), options_,
                                        static_cast<double>(std::numeric_limits<T>::epsilon()));
    report_pls(fit.rounds, report);
    const std::int64_t m = gram_.test.rows(), n = gram_.train.rows(), k = fit.components();
    Matrix<double> scores(m, k), fitted(m, y.columns);
    gemm<double>(fixed, m, k, n, {gram_.test.data(), n}, {fit.rotations.data(), k}, 0.0, scores.data(), k);
    gemm<double>(fixed, m, y.columns, k, {scores.data(), k}, {fit.y_loadings.data(), k, true}, 0.0, fitted.data(),
                 y.columns);
    Matrix<T> predictions(m, y.columns);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t u = 0; u < y.columns; ++u) {
        predictions(i, u) = static_cast<T>(targets.mean[u] + targets.scale[u] * fitted(i, u));
      }
    }
    return predictions;
  }

 private:
  PlsOptions options_;
  CentredGram gram_;
};

template <class T>
class Pls final : public MapMethod<T> {
 public:
  explicit Pls(const PlsOptions& options) : options_(options) {}

  std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                          const Split& split) const override {
    // Inner products of all stimuli cost as much as a fit to stimuli / 2 targets, but serve every target and split, and
    // with twice as many units as stimuli they take no more memory than the source in float32.
    if (source.fits() && source.units() < 2 * source.stimuli()) {
      return std::make_unique<PrimalPls<T>>(stream, source, split, options_);
    }
    if (!options_.scale) return std::make_unique<DualPls<T>>(centred_gram(source.gram(stream), split), options_);
    ColumnMoments moments = column_moments<T>(stream, source, split.train);
    for (double& square : moments.squares) {
      square = square > 0.0 ? std::sqrt(static_cast<double>(split.train.size() - 1) / square) : 1.0;
    }
    return std::make_unique<DualPls<T>>(centred_gram(products(stream, source, moments.mean, moments.squares), split),
                                        options_);
  }

 private:
  PlsOptions options_;
};

}  // namespace

template <class T>
std::unique_ptr<MapMethod<T>> pls_map(const MapOptions& options) {
  if (options.components < 1) {
    throw InputError("map components: found " + std::to_string(options.components) + ", must be at least 1");
  }
  return std::make_unique<Pls<T>>(
      PlsOptions{.components = options.components, .scale = options.scale, .converged = options.converged});
}

template std::unique_ptr<MapMethod<float>> pls_map(const MapOptions&);
template std::unique_ptr<MapMethod<double>> pls_map(const MapOptions&);

}  // namespace chiasm

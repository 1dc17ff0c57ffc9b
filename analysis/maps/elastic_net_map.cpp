// SPDX-License-Identifier: Apache-2.0
// Lasso and elastic net as maps. One pair of penalties is fitted as scikit-learn fits it, at its default tolerance, or
// with `converged` to the minimum. Of several, each unit gets the pair with the best mean r over contiguous folds of
// the training rows, and all fits are minima.
#include <algorithm>
#include <string>

#include "analysis/maps/elastic_net_search.h"
#include "analysis/maps/methods.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

struct Settings {
  ElasticNetGrid grid;
  bool converged = false;
};

template <class T>
Matrix<double> as_double(MatrixView<T> y) {
  Matrix<double> values(y.rows, y.columns);
  for (std::int64_t i = 0; i < y.rows; ++i) std::ranges::copy(y.row(i), values.row(i).begin());
  return values;
}

template <class T>
class PreparedElasticNet final : public PreparedMap<T> {
 public:
  PreparedElasticNet(const CpuStream& stream, const Source<T>& source, const Split& split, const Settings& settings)
      : settings_(settings),
        train_(source.rows(split.train)),
        test_(source.rows(split.test)),
        net_(stream, train_.view()) {
    if (settings.grid.pairs() == 1) train_ = {};
  }

  Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report) const override {
    const Matrix<double> targets = as_double(y);
    const ElasticNetGrid& grid = settings_.grid;
    MapReport result;
    std::vector<Penalty> penalties{grid.pair(0, net_.rows())};
    if (grid.pairs() > 1) {
      const ElasticNetScores scores = elastic_net_scores<T>(stream, train_, targets, grid);
      result.not_converged = scores.not_converged;
      penalties.clear();
      for (std::int64_t k = 0; k < y.columns; ++k) {
        const std::int64_t best = best_pair(scores.r.row(k));
        penalties.push_back(grid.pair(best, net_.rows()));
        result.alpha.push_back(grid.pair(best, 1).alpha);  // as listed
        result.l1_ratio.push_back(penalties.back().l1_ratio);
      }
    }
    const bool minimum = settings_.converged || grid.pairs() > 1;
    const ElasticNetFit fit =
        minimum ? net_.minimum(stream, targets, penalties) : net_.descend(stream, targets, penalties);
    result.not_converged += fit.not_converged;
    if (report != nullptr) *report = std::move(result);
    const Matrix<double> predictions = net_.predict(stream, test_.view(), fit);
    Matrix<T> rounded(predictions.rows(), predictions.columns());
    std::ranges::transform(predictions.values(), rounded.values().begin(),
                           [](double value) { return static_cast<T>(value); });
    return rounded;
  }

 private:
  Settings settings_;
  Matrix<T> train_, test_;
  ElasticNet net_;
};

template <class T>
class ElasticNetMap final : public MapMethod<T> {
 public:
  explicit ElasticNetMap(Settings settings) : settings_(std::move(settings)) {}
  std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                          const Split& split) const override {
    return std::make_unique<PreparedElasticNet<T>>(stream, source, split, settings_);
  }

 private:
  Settings settings_;
};

template <class T>
std::unique_ptr<MapMethod<T>> map_of(const MapOptions& options, std::vector<double> l1_ratios) {
  Settings settings{{options.alphas, std::move(l1_ratios), options.alpha_over_n, options.folds}, options.converged};
  const std::string name = "map method " + options.method + ": ";
  if (settings.grid.pairs() == 0) throw InputError(name + "no alpha or no l1_ratio is given");
  for (std::int64_t i = 0; i < settings.grid.pairs(); ++i) require_valid(settings.grid.pair(i, 1));
  if (settings.grid.pairs() > 1 && options.folds < 2) {
    throw InputError(name + "found " + std::to_string(settings.grid.pairs()) + " pairs of penalties and " +
                     std::to_string(options.folds) + " folds; choosing one needs 2 folds or more");
  }
  return std::make_unique<ElasticNetMap<T>>(std::move(settings));
}

}  // namespace

template <class T>
std::unique_ptr<MapMethod<T>> elastic_net_map(const MapOptions& options) {
  return map_of<T>(options, options.l1_ratios);
}
template <class T>
std::unique_ptr<MapMethod<T>> lasso_map(const MapOptions& options) {
  return map_of<T>(options, {1.0});
}

template std::unique_ptr<MapMethod<float>> elastic_net_map(const MapOptions&);
template std::unique_ptr<MapMethod<double>> elastic_net_map(const MapOptions&);
template std::unique_ptr<MapMethod<float>> lasso_map(const MapOptions&);
template std::unique_ptr<MapMethod<double>> lasso_map(const MapOptions&);

}  // namespace chiasm

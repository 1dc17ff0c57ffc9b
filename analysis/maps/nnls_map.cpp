// SPDX-License-Identifier: Apache-2.0
// Non-negative least squares with a free intercept as a map.
#include <algorithm>

#include "analysis/maps/methods.h"
#include "analysis/maps/nnls.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

template <class T>
Matrix<double> as_double(MatrixView<T> x) {
  Matrix<double> values(x.rows, x.columns);
  for (std::int64_t i = 0; i < x.rows; ++i) std::ranges::copy(x.row(i), values.row(i).begin());
  return values;
}

template <class T>
class PreparedNnls final : public PreparedMap<T> {
 public:
  PreparedNnls(const CpuStream& stream, const Source<T>& source, const Split& split)
      : solver_(stream, as_double<T>(source.rows(split.train)), true), test_(source.rows(split.test)) {}

  Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report) const override {
    const NnlsFit fit = solver_.fit(stream, as_double(y));
    const Matrix<double> test = as_double<T>(test_);
    Matrix<double> predictions(test.rows(), y.columns);
    gemm(CpuStream(stream.threads(), true), test.rows(), y.columns, test.columns(), {test.data(), test.columns()},
         {fit.weights.data(), test.columns(), true}, 0.0, predictions.data(), y.columns);
    Matrix<T> rounded(test.rows(), y.columns);
    for (std::int64_t i = 0; i < test.rows(); ++i) {
      std::ranges::transform(predictions.row(i), fit.intercepts, rounded.row(i).begin(),
                             [](double sum, double intercept) { return static_cast<T>(sum + intercept); });
    }
    if (report != nullptr) {
      *report = {};
      report->not_converged = fit.not_converged;
    }
    return rounded;
  }

 private:
  NnlsSolver solver_;
  Matrix<T> test_;
};

template <class T>
class Nnls final : public MapMethod<T> {
 public:
  std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                          const Split& split) const override {
    return std::make_unique<PreparedNnls<T>>(stream, source, split);
  }
};

}  // namespace

template <class T>
std::unique_ptr<MapMethod<T>> nnls_map(const MapOptions&) {
  return std::make_unique<Nnls<T>>();
}

template std::unique_ptr<MapMethod<float>> nnls_map(const MapOptions&);
template std::unique_ptr<MapMethod<double>> nnls_map(const MapOptions&);

}  // namespace chiasm

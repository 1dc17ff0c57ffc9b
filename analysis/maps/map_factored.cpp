// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/factored.h"
#include "analysis/maps/methods.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

template <class T>
class PreparedFactored final : public PreparedMap<T> {
 public:
  PreparedFactored(const CpuStream& stream, const Source<T>& source, const Split& split, const FactoredSize& layer,
                   const FactoredOptions& options)
      : source_(source),
        split_(split),
        layer_(layer),
        options_(options),
        features_(feature_scaling<T>(stream, source, split.train, layer.channels, options.scale)) {}

  Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report) const override {
    const FactoredFit<T> fit = fit_factored(stream, source_, split_.train, features_, y, layer_, options_);
    if (report != nullptr) {
      *report = {};
      report->not_converged = fit.not_converged();
    }
    return predict_factored(stream, source_, split_.test, fit);
  }

 private:
  Source<T> source_;
  Split split_;
  FactoredSize layer_;
  FactoredOptions options_;
  FeatureScaling<T> features_;
};

template <class T>
class FactoredMap final : public MapMethod<T> {
 public:
  FactoredMap(const Shape& shape, const FactoredOptions& options) : shape_(shape), options_(options) {}

  std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                          const Split& split) const override {
    const FactoredSize layer = factored_layer(shape_, source.units());
    require_fitting(layer, options_.penalties);
    return std::make_unique<PreparedFactored<T>>(stream, source, split, layer, options_);
  }

 private:
  Shape shape_;
  FactoredOptions options_;
};

}  // namespace

template <class T>
std::unique_ptr<MapMethod<T>> factored_map(const MapOptions& options) {
  require_valid(options.factored);
  return std::make_unique<FactoredMap<T>>(options.shape, options.factored);
}

template std::unique_ptr<MapMethod<float>> factored_map(const MapOptions&);
template std::unique_ptr<MapMethod<double>> factored_map(const MapOptions&);

}  // namespace chiasm

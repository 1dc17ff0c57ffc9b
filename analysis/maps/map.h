// SPDX-License-Identifier: Apache-2.0
// A map predicts the responses of units from those of others (spec/neural_analysis.md section 4). Each kind is one
// file below this folder, and one line of the table in method.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/maps/factored_options.h"
#include "analysis/maps/source.h"
#include "analysis/matrix.h"
#include "analysis/statistics/split.h"
#include "kernels/stream.h"

namespace chiasm {

// What was chosen for each target unit, and how the fit went. Units that were not fitted (below) have a choice of NaN,
// or -1.
struct MapReport {
  std::vector<double> alpha;       // chosen penalty per unit; empty: nothing to choose
  std::vector<double> l1_ratio;    // likewise
  std::vector<std::int64_t> unit;  // one-to-one: the chosen source unit
  int components = 0;              // PLS: used, after the cap by rank
  std::int64_t not_converged = 0;  // fits that stopped at their limit of iterations
  std::int64_t constant = 0;       // units without variance on the training rows, predicted by their mean
  std::int64_t not_finite = 0;     // units with a training response that is not finite, predicted as NaN
};

// One source and one split, prepared for any number of targets: for target animals, trial halves and bootstraps. What
// does not depend on the target is computed once.
template <class T>
class PreparedMap {
 public:
  virtual ~PreparedMap() = default;
  // Fits to y [train, units], rows in the order of split.train, and returns predictions [test, units] in the order of
  // split.test. Units without variance are predicted by their mean. `report` may be null and is overwritten.
  // Thread-safe. Throws ShapeError when y has another number of rows.
  virtual Matrix<T> predict(const CpuStream& stream, MatrixView<T> y, MapReport* report = nullptr) const = 0;
};

template <class T>
class MapMethod {
 public:
  virtual ~MapMethod() = default;
  // `source` is shared, `split` is copied. Thread-safe. Throws InputError for a split that does not fit the source.
  virtual std::unique_ptr<PreparedMap<T>> prepare(const CpuStream& stream, const Source<T>& source,
                                                  const Split& split) const = 0;
};

struct MapOptions {
  std::string method = "pls";  // a name of map_methods()
  int components = 25;         // PLS
  bool scale = false;          // PLS: divide by the standard deviation of the training rows
  // PLS: the converged weights instead of the library-compatible iteration; lasso, elastic net: the minimum instead of
  // where the library's tolerance ends. Of several penalties, those are always fitted to the minimum.
  bool converged = false;
  std::vector<double> alphas{1.0};     // ridge, lasso, elastic net; several: chosen on the training rows
  std::vector<double> l1_ratios{0.5};  // elastic net
  bool alpha_over_n = false;  // elastic net, lasso: divide alpha by the number of training rows, as MEC fits do
  int folds = 0;              // how several are chosen: 0 leave-one-out (ridge), else contiguous folds
  Shape shape = {};           // factored: [H, W, C] of a layer flattened row-major; [C] or []: one position
  FactoredOptions factored = {};
};

// Throws InputError for an unknown method, naming those that exist, and for options it cannot take.
template <class T>
std::unique_ptr<MapMethod<T>> make_map(const MapOptions& options);
std::vector<std::string> map_methods();

}  // namespace chiasm

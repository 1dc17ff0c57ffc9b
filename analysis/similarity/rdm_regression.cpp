// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/rdm_regression.h"

#include <limits>

#include "analysis/similarity/rdm_fold_fit.h"

namespace chiasm {

std::vector<RdmRegression> regress_rdms(const CpuStream& stream, std::int64_t items, MatrixView<double> regressors,
                                        MatrixView<double> targets, const std::vector<Split>& folds) {
  const std::vector<std::vector<std::int64_t>> groups = targets_by_missing_cells(targets);
  std::vector<RdmRegression> results(static_cast<std::size_t>(targets.rows));
  stream.parallel_tasks(std::ssize(groups), [&](std::int64_t g) {
    const RdmCells cells(items, regressors, targets, groups[static_cast<std::size_t>(g)]);
    const RdmFoldFit fit = fit_rdm_folds(cells, folds);
    for (std::size_t t = 0; t < cells.targets().size(); ++t) {
      RdmRegression& result = results[static_cast<std::size_t>(cells.targets()[t])];
      const auto column = static_cast<std::int64_t>(t);
      result.weights = Matrix<double>(std::ssize(folds), cells.regressors());
      for (std::int64_t f = 0; f < std::ssize(folds); ++f) {
        std::ranges::copy(fit.weights[static_cast<std::size_t>(f)].row(column), result.weights.row(f).begin());
        result.intercepts.push_back(fit.intercepts(f, column));
      }
      result.predicted.assign(static_cast<std::size_t>(targets.columns), std::numeric_limits<double>::quiet_NaN());
      for (std::int64_t c = 0; c < cells.count(); ++c) {
        const std::int64_t index = cells.cells()[static_cast<std::size_t>(c)].index;
        result.predicted[static_cast<std::size_t>(index)] = fit.predicted(c, column);
      }
      result.r = fit.r[t];
      result.r2 = result.r * result.r;
      result.cells_left_out = cells.left_out();
      result.not_converged = fit.not_converged[t];
    }
  });
  return results;
}

}  // namespace chiasm

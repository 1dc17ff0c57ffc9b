// SPDX-License-Identifier: Apache-2.0
// The fits of all folds of one partition of the images, for targets that lack the same cells; what regress_rdms() and
// rdm_signatures() share.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/matrix.h"
#include "analysis/statistics/split.h"

namespace chiasm {

// Cells that all of some targets and regressors have.
class RdmCells {
 public:
  // `chosen` are rows of `targets`; cells that are not finite in one of them or in a regressor are left out. Throws
  // InputError for a wrong number of cells.
  RdmCells(std::int64_t items, MatrixView<double> regressors, MatrixView<double> targets,
           std::vector<std::int64_t> chosen);

  std::int64_t items() const { return items_; }
  std::int64_t regressors() const { return regressors_; }
  const std::vector<std::int64_t>& targets() const { return chosen_; }
  std::int64_t count() const { return values_.rows(); }
  std::int64_t left_out() const { return items_ * (items_ - 1) / 2 - count(); }

  struct Cell {
    std::int64_t index, i, k;  // in the whole vector, and its images
  };
  const std::vector<Cell>& cells() const { return cells_; }
  // [cells, regressors + targets], each column less its mean.
  const Matrix<double>& values() const { return values_; }
  const std::vector<double>& means() const { return means_; }  // of those columns

 private:
  std::int64_t items_, regressors_;
  std::vector<std::int64_t> chosen_;
  std::vector<Cell> cells_;
  Matrix<double> values_;
  std::vector<double> means_;
};

struct RdmFoldFit {
  std::vector<Matrix<double>> weights;      // by fold: [targets, regressors]
  Matrix<double> intercepts;                // [folds, targets]
  Matrix<double> predicted;                 // [cells, targets], in the order of RdmCells::cells()
  std::vector<double> r;                    // by target
  std::vector<std::int64_t> not_converged;  // by target
};

// On one thread. Throws InputError where the folds are not a partition or one leaves no cell to train on.
RdmFoldFit fit_rdm_folds(const RdmCells& cells, const std::vector<Split>& folds);

// Rows of `targets`, in groups that lack the same cells.
std::vector<std::vector<std::int64_t>> targets_by_missing_cells(MatrixView<double> targets);

}  // namespace chiasm

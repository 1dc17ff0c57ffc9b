// SPDX-License-Identifier: Apache-2.0
// The two phases in which the factored map of a group of units is trained (FactoredOptions).
#pragma once

#include <span>
#include <vector>

#include "analysis/maps/factored_program.h"

namespace chiasm {

// Borrowed; lives as long as the training.
template <class T>
struct FactoredProblem {
  const Source<T>& source;
  std::span<const std::int64_t> rows;  // stimuli
  const FeatureScaling<T>& features;
  const Matrix<T>& y;                // [rows, units], scaled
  std::span<const double> variance;  // of the columns of y: what the tolerance is a fraction of
};

template <class T>
struct FactoredTraining {
  FactoredWeights<T> weights;
  std::vector<double> loss;
  std::vector<bool> converged;
};

// `first_unit` is the number of the first unit, for messages. Throws NumericalError when a loss is not finite any more.
template <class T>
FactoredTraining<T> train_factored(const CpuStream& stream, const FactoredProblem<T>& problem, const FactoredSize& size,
                                   const FactoredOptions& options, std::int64_t first_unit);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Linear support vector machines over classes, one against the rest (spec/neural_analysis.md section 11): L2 penalty,
// squared hinge, intercept penalised with scale 1. What scikit-learn's LinearSVC is when it has converged.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

enum class SvmSolver {
  kNewton,     // exact, see squared_hinge.h
  kLiblinear,  // liblinear's primal solver, to about 1e-7
};

struct SvmOptions {
  double c = 1.0;
  SvmSolver solver = SvmSolver::kNewton;
};

struct LinearSvm {
  Matrix<double> weights;          // [classes, features]
  std::vector<double> intercepts;  // of each class
  int not_converged = 0;           // classes whose fit stopped at the limit of steps
};

// x [images, features], labels 0 to classes - 1. With two classes the second is the mirror of the first. Throws
// InputError for fewer than two classes, a label outside, a class without images (named), or a C that is not positive;
// NumericalError naming the first feature that is not finite. The same bits for any number of threads.
LinearSvm fit_linear_svm(const CpuStream& stream, MatrixView<double> x, std::span<const std::int32_t> labels,
                         int classes, const SvmOptions& options = {});

// One-against-rest margins [images, classes].
Matrix<double> decision_values(const CpuStream& stream, const LinearSvm& svm, MatrixView<double> x);
// The class of the largest decision in each row, the first of equals.
std::vector<std::int32_t> largest_column(MatrixView<double> decisions);

// Throws InputError unless there are two classes or more, all labels are below and none lacks images. `what` names the
// images in the message ("the training images").
void require_classes(std::span<const std::int32_t> labels, int classes, const char* what);

}  // namespace chiasm

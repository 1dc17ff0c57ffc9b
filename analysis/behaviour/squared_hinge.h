// SPDX-License-Identifier: Apache-2.0
// The binary linear support vector machine with squared hinge (spec/neural_analysis.md section 11), solved exactly:
//   min over w  1/2 |w|^2 + C sum_i max(0, 1 - y_i f_i)^2,  f_i = <w, x_i>.
// An intercept with scale 1 that is penalised like a weight is a constant feature 1: the caller adds it to the rows, or
// 1 to every product of the Gram matrix.
//
// Method: the objective is quadratic as long as the active set, those with y_i f_i < 1, stays the same, and the minimum
// for a set is a ridge regression on it. Then those on the wrong side change sides, all at once while that makes them
// fewer and else one at a time (block principal pivoting: Judice & Pires 1994, "A block principal pivoting algorithm
// for large-scale strictly monotone linear complementarity problems"), which ends at the exact solution, up to
// rounding, after a few steps for most problems. Where it does not, as for rows that are separable by far with a large
// C, steps go to the lowest point on the line to that minimum, which cannot rise (the finite Newton method: Keerthi &
// DeCoste 2005, "A modified finite Newton method for fast solution of large scale linear SVMs"; in the dual, Chapelle
// 2007, "Training a support vector machine in the primal"), and exchanges begin again from there.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "analysis/matrix.h"

namespace chiasm {

struct HingeSolution {
  // With rows: w. With a Gram matrix: beta of w = sum_i beta_i x_i, zero for all but the support vectors, or, where
  // rows depend on each other and the products alone would lose accuracy, the shortest beta that gives w.
  std::vector<double> coefficients;
  std::vector<double> decision;  // f of the training rows
  int steps = 0;
  bool converged = false;
};

// Rows [n, p] and X'X, which all labellings and all C share. Borrows the rows.
struct HingeRows {
  explicit HingeRows(MatrixView<double> x);

  MatrixView<double> rows;
  Matrix<double> products;  // lower triangle; empty for fewer rows than features
};

// All of one set of rows, for any number of labellings. Immutable and thread-safe; everything runs on the calling
// thread.
class HingeProblem {
 public:
  // From the rows themselves, which must outlive the problem: a step takes products of the active rows, or of the rest,
  // or of the features, whichever are fewest.
  static std::unique_ptr<const HingeProblem> of_rows(const HingeRows& rows, double c);
  // Products <x_i, x_k>, symmetric and positive semidefinite, for fewer rows than features. The inverse of gram + I /
  // 2C is computed here; the work of a step grows with the smaller of the active set and the rest. `gram` must outlive
  // the problem.
  static std::unique_ptr<const HingeProblem> of_gram(MatrixView<double> gram, double c);
  virtual ~HingeProblem() = default;

  // `positive[i]` says whether y_i is +1. The solution is unique; `near`, the decisions of a similar problem (another
  // C, other rows), only makes it faster: the first step takes its active set from there. May be empty.
  // REQUIRES: as many labels (and values of `near`) as rows.
  HingeSolution solve(const std::vector<bool>& positive, std::span<const double> near = {}) const;

 protected:
  // Of one labelling, y = +-1.
  class Labelled {
   public:
    virtual ~Labelled() = default;
    // Minimises 1/2 |w|^2 + C sum over `active` of (y_i - f_i)^2. `wrong` becomes those that are active with y_i f_i
    // beyond 1, or not active with y_i f_i below, by more than rounding.
    virtual void ridge(const std::vector<bool>& active, HingeSolution& solution, std::vector<bool>& wrong) = 0;
    // <w_a, w_b> of two sets of coefficients, and the decisions of the second.
    virtual double product(std::span<const double> a, std::span<const double> b,
                           std::span<const double> decision_of_b) const = 0;
  };
  explicit HingeProblem(double c) : c_(c) {}
  virtual std::unique_ptr<Labelled> label(std::vector<double> y) const = 0;

 private:
  // From `active` on, until nothing is wrong or so many steps were taken in all.
  void exchange(Labelled& labelled, std::vector<bool>& active, int most_steps, HingeSolution& solution) const;
  // From where `solution` is, by steps of the best length, until nothing is wrong or the objective falls no more.
  void descend(Labelled& labelled, const std::vector<double>& y, HingeSolution& solution) const;

  double c_;
};

}  // namespace chiasm

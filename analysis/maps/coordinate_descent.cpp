// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/coordinate_descent.h"

#include <algorithm>
#include <cmath>

#include "analysis/maps/centred_columns.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

double shrunk(double value, double by) { return std::copysign(std::max(std::abs(value) - by, 0.0), value); }

void add_scaled(std::int64_t n, double scale, const double* x, double* y) {
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::int64_t i = 0; i < n; ++i) y[i] += scale * x[i];
  });
}

// The residual y - X b.
class OnRows {
 public:
  OnRows(const Matrix<double>& xt, const double* y, const double* weights)
      : xt_(xt), y_(y), residual_(y, y + xt.columns()) {
    for (std::int64_t j = 0; j < xt.rows(); ++j) {
      if (weights[j] != 0.0) moved(j, weights[j]);
      squares_.push_back(dot(xt.row(j).data(), xt.row(j).data()));
    }
  }

  std::int64_t p() const { return xt_.rows(); }
  double squares(std::int64_t j) const { return squares_[static_cast<std::size_t>(j)]; }
  double y_squares() const { return dot(y_, y_); }
  double gradient(std::int64_t j) const { return dot(xt_.row(j).data(), residual_.data()); }
  void moved(std::int64_t j, double by) { add_scaled(xt_.columns(), -by, xt_.row(j).data(), residual_.data()); }
  double residual_squares(const double*) const { return dot(residual_.data(), residual_.data()); }
  double residual_on_y(const double*) const { return dot(residual_.data(), y_); }

 private:
  double dot(const double* a, const double* b) const { return dot_product(a, b, xt_.columns()); }

  const Matrix<double>& xt_;
  const double* y_;
  std::vector<double> residual_, squares_;
};

// The gradient X'(y - X b).
class OnGram {
 public:
  OnGram(const Matrix<double>& gram, const double* moments, double y_squares, const double* weights)
      : gram_(gram), moments_(moments), y_squares_(y_squares), gradient_(moments, moments + gram.rows()) {
    for (std::int64_t j = 0; j < p(); ++j) {
      if (weights[j] != 0.0) moved(j, weights[j]);
    }
  }

  std::int64_t p() const { return gram_.rows(); }
  double squares(std::int64_t j) const { return gram_(j, j); }
  double y_squares() const { return y_squares_; }
  double gradient(std::int64_t j) const { return gradient_[static_cast<std::size_t>(j)]; }
  void moved(std::int64_t j, double by) { add_scaled(p(), -by, gram_.row(j).data(), gradient_.data()); }
  double residual_on_y(const double* b) const { return y_squares_ - dot_product(b, moments_, p()); }
  double residual_squares(const double* b) const {
    return std::max(0.0, residual_on_y(b) - dot_product(b, gradient_.data(), p()));
  }

 private:
  const Matrix<double>& gram_;
  const double* moments_;
  double y_squares_;
  std::vector<double> gradient_;
};

// Distance of the objective from that of the dual point which the residual, scaled until it is feasible, gives.
template <class Form>
double duality_gap(const Form& form, double l1, double l2, const double* b) {
  double largest = 0.0, sum = 0.0, squares = 0.0;
  for (std::int64_t j = 0; j < form.p(); ++j) {
    largest = std::max(largest, std::abs(form.gradient(j) - l2 * b[j]));
    sum += std::abs(b[j]);
    squares += b[j] * b[j];
  }
  const double residual = form.residual_squares(b), scale = largest > l1 ? l1 / largest : 1.0;
  return 0.5 * residual * (1.0 + scale * scale) + l1 * sum - scale * form.residual_on_y(b) +
         0.5 * l2 * (1.0 + scale * scale) * squares;
}

template <class Form>
DescentEnd descend(Form form, double l1, double l2, DescentLimits limits, double* b) {
  const double most_gap = limits.tolerance * form.y_squares();
  DescentEnd end;
  while (end.sweeps < limits.sweeps) {
    ++end.sweeps;
    double largest = 0.0, largest_move = 0.0;
    for (std::int64_t j = 0; j < form.p(); ++j) {
      const double squares = form.squares(j);
      if (squares == 0.0) continue;  // a constant regressor
      const double before = b[j];
      b[j] = shrunk(form.gradient(j) + squares * before, l1) / (squares + l2);
      if (b[j] != before) form.moved(j, b[j] - before);
      largest_move = std::max(largest_move, std::abs(b[j] - before));
      largest = std::max(largest, std::abs(b[j]));
    }
    if (largest == 0.0 || largest_move < limits.tolerance * largest || end.sweeps == limits.sweeps) {
      end.gap = duality_gap(form, l1, l2, b);
      // Of a target without variance both are zero.
      end.converged = end.gap < most_gap || most_gap == 0.0;
      if (end.converged) break;
    }
  }
  return end;
}

}  // namespace

DescentEnd descend_on_rows(const Matrix<double>& xt, const double* y, double l1, double l2, DescentLimits limits,
                           double* weights) {
  return descend(OnRows(xt, y, weights), l1, l2, limits, weights);
}

DescentEnd descend_on_gram(const Matrix<double>& gram, const double* moments, double y_squares, double l1, double l2,
                           DescentLimits limits, double* weights) {
  return descend(OnGram(gram, moments, y_squares, weights), l1, l2, limits, weights);
}

}  // namespace chiasm

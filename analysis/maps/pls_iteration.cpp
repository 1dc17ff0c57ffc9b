// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/pls_iteration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/maps/leading_vector.h"
#include "analysis/maps/vector_products.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

constexpr double kTolerance = 1e-6;
constexpr int kMostRounds = 500;
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// The square of S that is updated from component to component has the rounding of the largest it was. Once less than
// this share is left it is computed afresh.
constexpr double kFreshShare = 1e-3;

using Vector = std::vector<double>;

Vector largest_of_columns(const Matrix<double>& y) {
  Vector largest(static_cast<std::size_t>(y.columns()));
  for (std::int64_t i = 0; i < y.rows(); ++i) {
    for (std::size_t k = 0; k < largest.size(); ++k) largest[k] = std::max(largest[k], std::abs(y.row(i)[k]));
  }
  return largest;
}

// A vector without structure to start from: cubes of a Weyl sequence.
Vector unstructured(std::int64_t side) {
  Vector v(static_cast<std::size_t>(side));
  double phase = 0.0;
  for (double& x : v) {
    phase += 0.6180339887498949;
    phase -= std::floor(phase);
    x = 0.1 + phase * phase * phase;
  }
  return v;
}

// The state between components. `wide_` is the n or p by q matrix whose products with a vector over targets represent
// weights: S itself, or the deflated Y.
class Iteration {
 public:
  Iteration(const CpuStream& stream, const PlsSpace& space, Matrix<double> y, const PlsOptions& options)
      : stream_(stream.threads(), true),
        space_(space),
        options_(options),
        y_(std::move(y)),
        by_targets_(y_.columns() <= space.side),
        y_size_(largest_of_columns(y_)),
        covariance_(space.covariance(y_)) {}

  PlsComponents run() {
    const std::int64_t most = std::min<std::int64_t>({options_.components, y_.rows() - 1, space_.side});
    for (std::int64_t k = 0; k < most; ++k) {
      if (!add_component()) break;
    }
    return std::move(found_);
  }

 private:
  const Matrix<double>& wide() const { return space_.dual ? y_ : covariance_; }

  // |S|^2, and |Y|^2.
  double covariance_square() const { return std::max(0.0, dot(wide().values(), covariance_.values())); }
  double y_square() const { return dot(y_.values(), y_.values()); }

  // S'S [targets, targets] or, of the wide matrix V, V V' [side, side].
  void refresh_square() {
    const double trace = by_targets_ ? covariance_square() : dot(wide().values(), wide().values());
    if (!square_.values().empty() && trace >= kFreshShare * fresh_trace_) return;
    fresh_trace_ = trace;
    const std::int64_t q = y_.columns(), side = by_targets_ ? q : space_.side;
    square_ = Matrix<double>(side, side);
    if (by_targets_) {
      gemm<double>(stream_, side, side, space_.side, {wide().data(), q, true}, {covariance_.data(), q}, 0.0,
                   square_.data(), side);
    } else {
      gemm<double>(stream_, side, side, q, {wide().data(), q}, {wide().data(), q, true}, 0.0, square_.data(), side);
    }
  }

  // The iteration on vectors over targets, c with w = S c, or on representations of w.
  SelfAdjoint iteration() const {
    SelfAdjoint a{.side = square_.rows()};
    const auto square = [this](std::span<const double> v, std::span<double> y) {
      multiply_columns<double>(stream_, square_, v, y);
    };
    const auto copy = [](std::span<const double> v, std::span<double> y) { std::ranges::copy(v, y.begin()); };
    if (by_targets_) {
      a.metric = square;
      a.apply = copy;
    } else if (space_.dual) {
      a.metric = space_.scores;  // w'w = a' X X' a
      a.apply = square;
    } else {
      a.metric = copy;
      a.apply = square;
    }
    return a;
  }

  // Where the library starts: at the first target that is not explained (to rounding) and covaries with X.
  LeadingVector from_first_target(const SelfAdjoint& a) const {
    const Vector left = largest_of_columns(y_);
    for (std::size_t k = 0; k < left.size(); ++k) {
      if (left[k] <= 10 * kEpsilon * y_size_[k]) continue;
      Vector start(static_cast<std::size_t>(a.side));
      for (std::int64_t i = 0; i < a.side; ++i) {
        start[static_cast<std::size_t>(i)] =
            by_targets_ ? (i == static_cast<std::int64_t>(k) ? 1.0 : 0.0) : wide()(i, static_cast<std::int64_t>(k));
      }
      // One target has nothing to iterate.
      LeadingVector found = power_iteration(a, std::move(start), kTolerance, left.size() == 1 ? 1 : kMostRounds);
      if (left.size() == 1) found.converged = true;
      if (!found.v.empty()) return found;
    }
    return {};
  }

  bool add_component() {
    if (!(covariance_square() > space_.least * space_.squared_norm * y_square())) return false;
    refresh_square();
    const SelfAdjoint a = iteration();
    LeadingVector leading;
    if (options_.converged) {
      const Vector seed = unstructured(a.side);
      Vector start(seed.size());
      multiply_columns<double>(stream_, square_, seed, start);  // inside the range of the operator
      leading = lanczos(a, std::move(start));
    } else {
      leading = from_first_target(a);
    }
    if (leading.v.empty()) return false;
    if (!by_targets_) return deflate(leading.v, leading);
    Vector w(static_cast<std::size_t>(space_.side));
    multiply_columns<double>(stream_, wide(), leading.v, w);
    return deflate(std::move(w), leading);
  }

  bool deflate(Vector w, const LeadingVector& leading) {
    Vector t(static_cast<std::size_t>(y_.rows()));
    fix_sign(w);
    space_.scores(w, t);
    // Instead of deflating X, its scores are made orthogonal to those before, twice for rounding; r follows them.
    Vector r = w;
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t j = 0; j < found_.scores.size(); ++j) {
        const double along = dot(found_.scores[j], t) / squares_[j];
        add_scaled(-along, found_.scores[j], t);
        add_scaled(-along, found_.rotations[j], r);
      }
    }
    const double tt = dot(t, t);
    if (!(tt > space_.least * space_.squared_norm)) return false;
    Vector g(static_cast<std::size_t>(y_.columns())), u(w.size());
    multiply_rows<double>(stream_, y_, t, g);
    space_.loading(t, u);
    update_square(space_.dual ? t : u, u, g, tt);
    add_outer(stream_, -1.0 / tt, u, g, covariance_);
    add_outer(stream_, -1.0 / tt, t, g, y_);
    for (double& x : u) x /= tt;
    for (double& x : g) x /= tt;
    found_.weights.push_back(std::move(w));
    found_.rotations.push_back(std::move(r));
    found_.loadings.push_back(std::move(u));
    found_.scores.push_back(std::move(t));
    found_.y_loadings.push_back(std::move(g));
    found_.rounds.of_component.push_back(leading.rounds);
    found_.rounds.not_converged += leading.converged ? 0 : 1;
    squares_.push_back(tt);
    return true;
  }

  // The wide matrix V becomes V - e g'/tt, and S, or what stands for it, S - u g'/tt.
  void update_square(const Vector& e, const Vector& u, const Vector& g, double tt) {
    const auto change = [&](const Vector& a, const Vector& b, double both) {  // -(a b' + b a')/tt + both b b'/tt^2
      add_outer(stream_, -1.0 / tt, a, b, square_);
      add_outer(stream_, -1.0 / tt, b, a, square_);
      add_outer(stream_, both / (tt * tt), b, b, square_);
    };
    if (by_targets_) {
      Vector h(g.size());
      multiply_rows<double>(stream_, wide(), u, h);
      change(h, g, dot(e, u));
    } else {
      Vector f(e.size());
      multiply_columns<double>(stream_, wide(), g, f);
      change(f, e, dot(g, g));
    }
  }

  static void fix_sign(Vector& w) {
    const auto largest = std::ranges::max_element(w, {}, [](double x) { return std::abs(x); });
    if (*largest < 0.0) std::ranges::transform(w, w.begin(), std::negate());
  }

  CpuStream stream_;
  const PlsSpace& space_;
  const PlsOptions& options_;
  Matrix<double> y_;  // deflated
  bool by_targets_;
  Vector y_size_;              // of the largest value of each target, before deflation
  Matrix<double> covariance_;  // X'Y, or X X'Y, of deflated Y
  Matrix<double> square_;
  double fresh_trace_ = 0.0;
  Vector squares_;  // t't of each component
  PlsComponents found_;
};

}  // namespace

PlsComponents iterate_pls(const CpuStream& stream, const PlsSpace& space, Matrix<double> y, const PlsOptions& options) {
  return Iteration(stream, space, std::move(y), options).run();
}

Matrix<double> as_columns(const std::vector<std::vector<double>>& vectors, std::int64_t rows) {
  Matrix<double> columns(rows, std::ssize(vectors));
  for (std::int64_t k = 0; k < columns.columns(); ++k) {
    for (std::int64_t i = 0; i < rows; ++i)
      columns(i, k) = vectors[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)];
  }
  return columns;
}

}  // namespace chiasm

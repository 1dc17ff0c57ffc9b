// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/leading_vector.h"

#include <algorithm>
#include <cmath>

#include "analysis/maps/vector_products.h"
#include "kernels/vendor/lapack.h"

namespace chiasm {
namespace {

constexpr double kResidual = 1e-14;
constexpr std::int64_t kMostSteps = 300;  // before a restart from the best vector so far
constexpr int kMostRestarts = 20;

using Vector = std::vector<double>;

void scale(double factor, Vector& v) {
  for (double& x : v) x *= factor;
}

// v and B v, with v of length 1. False where its length is zero.
bool normalise(const SelfAdjoint& a, Vector& v, Vector& bv) {
  a.metric(v, bv);
  const double square = dot(v, bv);
  if (!(square > 0.0)) return false;
  scale(1.0 / std::sqrt(square), v);
  scale(1.0 / std::sqrt(square), bv);
  return true;
}

struct Krylov {
  std::vector<Vector> v, bv;            // a basis, orthonormal in the inner product
  std::vector<double> diagonal, below;  // of A in this basis, which is tridiagonal

  struct Ritz {
    Vector in_basis;
    double value, residual;
  };
  Ritz leading() const {
    const std::int64_t n = std::ssize(diagonal);
    std::vector<double> t(static_cast<std::size_t>(n * n)), values(diagonal.size());
    for (std::int64_t i = 0; i < n; ++i) {
      t[i * n + i] = diagonal[i];
      if (i > 0) t[i * n + i - 1] = below[i - 1];
    }
    symmetric_eigen(n, t.data(), values.data());
    const Vector s(t.end() - n, t.end());
    return {s, values.back(), below.back() * std::abs(s.back())};
  }
};

}  // namespace

LeadingVector power_iteration(const SelfAdjoint& a, std::vector<double> start, double tolerance, int most_rounds) {
  LeadingVector result{std::move(start), 0, false};
  Vector bv(result.v.size()), last_v, last_bv, step(result.v.size()), b_step(result.v.size());
  while (true) {
    if (!normalise(a, result.v, bv)) return {};
    ++result.rounds;
    if (result.rounds > 1) {
      std::ranges::transform(result.v, last_v, step.begin(), std::minus());
      std::ranges::transform(bv, last_bv, b_step.begin(), std::minus());
      result.converged = dot(step, b_step) < tolerance;
    }
    if (result.converged || result.rounds == most_rounds) return result;
    last_v = result.v;
    last_bv = bv;
    a.apply(bv, result.v);
  }
}

LeadingVector lanczos(const SelfAdjoint& a, std::vector<double> start) {
  LeadingVector result{std::move(start), 0, false};
  const std::int64_t most = std::min(a.side, kMostSteps);
  for (int restart = 0; restart <= kMostRestarts && !result.converged; ++restart) {
    Krylov krylov;
    Vector v = result.v, bv(v.size());
    if (!normalise(a, v, bv)) return {};
    std::int64_t next_look = 4;
    Krylov::Ritz best;
    for (std::int64_t step = 1; step <= most; ++step) {
      krylov.v.push_back(v);
      krylov.bv.push_back(bv);
      a.apply(krylov.bv.back(), v);
      ++result.rounds;
      // Twice against the whole basis: without that, rounding brings the leading vectors back in.
      double along_last = 0.0;
      for (int pass = 0; pass < 2; ++pass) {
        for (std::size_t i = 0; i < krylov.v.size(); ++i) {
          const double along = dot(v, krylov.bv[i]);
          add_scaled(-along, krylov.v[i], v);
          if (i + 1 == krylov.v.size()) along_last += along;
        }
      }
      a.metric(v, bv);
      const double length = std::sqrt(std::max(0.0, dot(v, bv)));
      krylov.diagonal.push_back(along_last);
      krylov.below.push_back(length);
      const double scale_of_a = *std::ranges::max_element(krylov.diagonal);
      const bool exhausted = length <= kResidual * scale_of_a;
      if (exhausted || step == most || step == next_look) {
        best = krylov.leading();
        result.converged = exhausted || best.residual <= kResidual * best.value;
        next_look += next_look / 2;
        if (result.converged || step == most) break;
      }
      scale(1.0 / length, v);
      scale(1.0 / length, bv);
    }
    std::ranges::fill(result.v, 0.0);
    for (std::size_t i = 0; i < krylov.v.size(); ++i) add_scaled(best.in_basis[i], krylov.v[i], result.v);
    // All of the space was seen: nothing better exists.
    if (std::ssize(krylov.v) == a.side) result.converged = true;
  }
  Vector bv(result.v.size());
  if (!normalise(a, result.v, bv)) return {};
  return result;
}

}  // namespace chiasm

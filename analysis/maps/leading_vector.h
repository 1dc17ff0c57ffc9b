// SPDX-License-Identifier: Apache-2.0
// The leading eigenvector of an operator A that is self-adjoint and positive in the inner product <u, v> = u' B v.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace chiasm {

struct SelfAdjoint {
  std::int64_t side = 0;
  std::function<void(std::span<const double> v, std::span<double> bv)> metric{};  // bv = B v
  std::function<void(std::span<const double> bv, std::span<double> av)> apply{};  // av = A v, from B v
};

struct LeadingVector {
  std::vector<double> v;  // of length 1 in the inner product; empty where A is zero on the start
  int rounds = 0;         // applications of A, with the start
  bool converged = true;
};

// Power iteration from `start` until a round moves the vector by less than sqrt(tolerance) in the norm of the inner
// product: with tolerance 1e-6 and 500 rounds, what partial least squares of scikit-learn does.
LeadingVector power_iteration(const SelfAdjoint& a, std::vector<double> start, double tolerance, int most_rounds);

// To rounding, by Lanczos' method: the residual is at most 1e-14 of the eigenvalue. `start` must not be orthogonal to
// the solution, which a vector without structure is not. Of equal leading eigenvalues, some vector of their space.
LeadingVector lanczos(const SelfAdjoint& a, std::vector<double> start);

}  // namespace chiasm

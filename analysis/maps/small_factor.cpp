// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/small_factor.h"

#include "kernels/simd.h"

namespace chiasm {
namespace {

// One AVX2 register, or two of SSE2; anywhere in memory, by reference: passing vectors by value would depend on the
// instruction set.
typedef double Four __attribute__((vector_size(32)));
typedef double FourInMemory __attribute__((vector_size(32), aligned(8), may_alias));

inline CHIASM_INLINE_LAMBDA const FourInMemory& four_at(const double* p) {
  return *reinterpret_cast<const FourInMemory*>(p);
}
inline CHIASM_INLINE_LAMBDA FourInMemory& four_at(double* p) { return *reinterpret_cast<FourInMemory*>(p); }

}  // namespace

bool small_factor(std::int64_t n, double* a, double* inverse) {
  bool positive = true;
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::int64_t k = 0; k < n && positive; k += 4) {
      double* columns[4] = {a + k * n, a + (k + 1) * n, a + (k + 2) * n, a + (k + 3) * n};
      // The block on the diagonal: l of L, and the pivots.
      double l[4][4], pivots[4];
      for (int c = 0; c < 4; ++c) {
        double u[4];  // column c of L D
        for (int i = c; i < 4; ++i) {
          u[i] = columns[c][k + i];
          for (int e = 0; e < c; ++e) u[i] -= l[i][e] * l[c][e] * pivots[e];
        }
        positive = positive && u[c] > 0.0;
        pivots[c] = u[c];
        const double inverted = 1.0 / u[c];
        inverse[k + c] = inverted;
        for (int i = c + 1; i < 4; ++i) columns[c][k + i] = l[i][c] = u[i] * inverted;
      }
      // The rows below it, four at a time: u of L D, and L.
      for (std::int64_t i = k + 4; i < n; i += 4) {
        const Four u0 = four_at(columns[0] + i);
        const Four u1 = four_at(columns[1] + i) - u0 * l[1][0];
        const Four u2 = four_at(columns[2] + i) - u0 * l[2][0] - u1 * l[2][1];
        const Four u3 = four_at(columns[3] + i) - u0 * l[3][0] - u1 * l[3][1] - u2 * l[3][2];
        four_at(columns[0] + i) = u0 * inverse[k];
        four_at(columns[1] + i) = u1 * inverse[k + 1];
        four_at(columns[2] + i) = u2 * inverse[k + 2];
        four_at(columns[3] + i) = u3 * inverse[k + 3];
      }
      // What they take off the rest, two columns at a time, whose factors stay in registers.
      for (std::int64_t j = k + 4; j < n; j += 2) {
        double s[2][4];
        for (int c = 0; c < 2; ++c) {
          for (int e = 0; e < 4; ++e) s[c][e] = columns[e][j + c] * pivots[e];
        }
        double *left = a + j * n, *right = left + n;
        for (std::int64_t i = j / 4 * 4; i < n; i += 4) {
          const Four l0 = four_at(columns[0] + i), l1 = four_at(columns[1] + i);
          const Four l2 = four_at(columns[2] + i), l3 = four_at(columns[3] + i);
          four_at(left + i) = four_at(left + i) - l0 * s[0][0] - l1 * s[0][1] - l2 * s[0][2] - l3 * s[0][3];
          four_at(right + i) = four_at(right + i) - l0 * s[1][0] - l1 * s[1][1] - l2 * s[1][2] - l3 * s[1][3];
        }
      }
    }
  });
  return positive;
}

void small_solve(std::int64_t n, const double* a, const double* inverse, double* x) {
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::int64_t k = 0; k < n; k += 4) {
      for (int c = 0; c < 3; ++c) {
        for (int i = c + 1; i < 4; ++i) x[k + i] -= a[(k + c) * n + k + i] * x[k + c];
      }
      for (std::int64_t i = k + 4; i < n; i += 4) {
        four_at(x + i) = four_at(x + i) - four_at(a + k * n + i) * x[k] - four_at(a + (k + 1) * n + i) * x[k + 1] -
                         four_at(a + (k + 2) * n + i) * x[k + 2] - four_at(a + (k + 3) * n + i) * x[k + 3];
      }
    }
    for (std::int64_t i = 0; i < n; i += 4) four_at(x + i) *= four_at(inverse + i);
    for (std::int64_t k = n - 4; k >= 0; k -= 4) {
      Four sums[4] = {};
      for (std::int64_t i = k + 4; i < n; i += 4) {
        const Four below = four_at(x + i);
        for (int c = 0; c < 4; ++c) sums[c] += four_at(a + (k + c) * n + i) * below;
      }
      for (int c = 3; c >= 0; --c) {
        double sum = (sums[c][0] + sums[c][1]) + (sums[c][2] + sums[c][3]);
        for (int i = c + 1; i < 4; ++i) sum += a[(k + c) * n + k + i] * x[k + i];
        x[k + c] -= sum;
      }
    }
  });
}

}  // namespace chiasm

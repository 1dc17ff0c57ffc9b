// SPDX-License-Identifier: Apache-2.0
#include "kernels/vendor/lapack.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/error.h"
#include "kernels/vendor/library_threads.h"

// LAPACK's Fortran interface: everything by address, the lengths of texts behind, matrices by columns. A symmetric
// matrix by rows is itself by columns with its triangles exchanged.
extern "C" {
void dsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* lda, double* w, double* work,
             const int* lwork, int* iwork, const int* liwork, int* info, std::size_t, std::size_t);
void dgeev_(const char* left, const char* right, const int* n, double* a, const int* lda, double* real,
            double* imaginary, double* vl, const int* ldvl, double* vr, const int* ldvr, double* work, const int* lwork,
            int* info, std::size_t, std::size_t);
void dpotrf_(const char* triangle, const int* n, double* a, const int* lda, int* info, std::size_t);
void dpotrs_(const char* triangle, const int* n, const int* columns, const double* a, const int* lda, double* b,
             const int* ldb, int* info, std::size_t);
void dpotri_(const char* triangle, const int* n, double* a, const int* lda, int* info, std::size_t);
}

namespace chiasm {
namespace {

constexpr char kOurLowerTriangle = 'U';

int to_lapack(std::int64_t size) {
  if (size > std::numeric_limits<int>::max()) {
    throw InternalError("a matrix side of " + std::to_string(size) + " is beyond what LAPACK addresses");
  }
  return static_cast<int>(size);
}

void require_valid(int info, const char* routine) {
  if (info < 0) throw InternalError(std::string(routine) + " refused argument " + std::to_string(-info));
}

// Some LAPACKs do not return when they meet a NaN.
[[noreturn]] void throw_not_finite() {
  throw NumericalError("eigenvalues", "eigenvalues of a matrix with values that are not finite");
}

}  // namespace

void symmetric_eigen(std::int64_t n, double* a, double* values) {
  if (n == 0) return;
  const int side = to_lapack(n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k <= i; ++k) {
      if (!std::isfinite(a[i * n + k])) throw_not_finite();
    }
  }
  const LibraryThreads one(1);
  int info = 0, integers = 0;
  double reals = 0.0;
  constexpr int kAsk = -1;
  dsyevd_("V", &kOurLowerTriangle, &side, a, &side, values, &reals, &kAsk, &integers, &kAsk, &info, 1, 1);
  require_valid(info, "dsyevd");
  std::vector<double> work(static_cast<std::size_t>(reals));
  std::vector<int> integer_work(static_cast<std::size_t>(integers));
  const int work_size = to_lapack(std::ssize(work));
  dsyevd_("V", &kOurLowerTriangle, &side, a, &side, values, work.data(), &work_size, integer_work.data(), &integers,
          &info, 1, 1);
  require_valid(info, "dsyevd");
  if (info > 0) throw NumericalError("eigenvalues", "the eigenvalues of a symmetric matrix did not converge");
}

void general_eigenvalues(std::int64_t n, double* a, std::complex<double>* values) {
  if (n == 0) return;
  const int side = to_lapack(n);
  if (!std::all_of(a, a + n * n, [](double v) { return std::isfinite(v); })) throw_not_finite();
  const LibraryThreads one(1);
  // A matrix by columns is the transpose, whose eigenvalues are the same.
  constexpr int kNone = 1, kAsk = -1;
  int info = 0;
  double size = 0.0;
  std::vector<double> real(static_cast<std::size_t>(n)), imaginary(real.size());
  dgeev_("N", "N", &side, a, &side, real.data(), imaginary.data(), nullptr, &kNone, nullptr, &kNone, &size, &kAsk,
         &info, 1, 1);
  require_valid(info, "dgeev");
  std::vector<double> work(static_cast<std::size_t>(size));
  const int work_size = to_lapack(std::ssize(work));
  dgeev_("N", "N", &side, a, &side, real.data(), imaginary.data(), nullptr, &kNone, nullptr, &kNone, work.data(),
         &work_size, &info, 1, 1);
  require_valid(info, "dgeev");
  if (info > 0) throw NumericalError("eigenvalues", "the eigenvalues of a matrix did not converge");
  for (std::size_t i = 0; i < real.size(); ++i) values[i] = {real[i], imaginary[i]};
  std::sort(values, values + n, [](const std::complex<double>& x, const std::complex<double>& y) {
    return x.real() != y.real() ? x.real() > y.real() : x.imag() > y.imag();
  });
}

bool cholesky(std::int64_t n, double* a) {
  if (n == 0) return true;
  const LibraryThreads one(1);
  const int side = to_lapack(n);
  int info = 0;
  dpotrf_(&kOurLowerTriangle, &side, a, &side, &info, 1);
  require_valid(info, "dpotrf");
  return info == 0;
}

void cholesky_solve(std::int64_t n, const double* a, std::int64_t count, double* b) {
  if (n == 0 || count == 0) return;
  const LibraryThreads one(1);
  const int side = to_lapack(n), columns = to_lapack(count);
  int info = 0;
  dpotrs_(&kOurLowerTriangle, &side, &columns, a, &side, b, &side, &info, 1);
  require_valid(info, "dpotrs");
}

void cholesky_invert(std::int64_t n, double* a) {
  if (n == 0) return;
  const LibraryThreads one(1);
  const int side = to_lapack(n);
  int info = 0;
  dpotri_(&kOurLowerTriangle, &side, a, &side, &info, 1);
  require_valid(info, "dpotri");
  // By tiles, because the other triangle is read by columns.
  constexpr std::int64_t kTile = 32;
  for (std::int64_t i0 = 0; i0 < n; i0 += kTile) {
    for (std::int64_t k0 = 0; k0 <= i0; k0 += kTile) {
      for (std::int64_t i = i0; i < std::min(i0 + kTile, n); ++i) {
        for (std::int64_t k = k0; k < std::min(k0 + kTile, i); ++k) a[k * n + i] = a[i * n + k];
      }
    }
  }
}

}  // namespace chiasm

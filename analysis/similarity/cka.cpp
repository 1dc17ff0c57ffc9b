// SPDX-License-Identifier: Apache-2.0
#include "analysis/similarity/cka.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/error.h"

namespace chiasm {
namespace {

Matrix<double> centred(MatrixView<double> products) {
  const std::int64_t n = products.rows;
  std::vector<double> mean(static_cast<std::size_t>(n));
  double grand = 0.0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (const double value : products.row(i)) mean[static_cast<std::size_t>(i)] += value / static_cast<double>(n);
    grand += mean[static_cast<std::size_t>(i)] / static_cast<double>(n);
  }
  Matrix<double> result(n, n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      result(i, j) = products(i, j) - mean[static_cast<std::size_t>(i)] - mean[static_cast<std::size_t>(j)] + grand;
    }
  }
  return result;
}

struct Alignment {
  double plain, unbiased;
};

// HSIC of two centred matrices, but for factors that both estimates share. With rows that sum to 0, the sums of the
// matrix with an empty diagonal, on which the unbiased estimate rests, all follow from the diagonal.
Alignment alignment(const Matrix<double>& k, const Matrix<double>& l) {
  double all = 0.0, diagonal = 0.0, trace_k = 0.0, trace_l = 0.0;
  for (std::int64_t i = 0; i < k.rows(); ++i) {
    const auto x = k.row(i), y = l.row(i);
    double row = 0.0;
    for (std::size_t j = 0; j < x.size(); ++j) row += x[j] * y[j];
    all += row;
    diagonal += k(i, i) * l(i, i);
    trace_k += k(i, i);
    trace_l += l(i, i);
  }
  const auto n = static_cast<double>(k.rows());
  return {all, all - diagonal + trace_k * trace_l / ((n - 1.0) * (n - 2.0)) - 2.0 / (n - 2.0) * diagonal};
}

double ratio(double ab, double aa, double bb) {
  return aa > 0.0 && bb > 0.0 ? ab / (std::sqrt(aa) * std::sqrt(bb)) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Cka cka_of_products(MatrixView<double> a, MatrixView<double> b) {
  if (a.rows != b.rows || a.rows != a.columns || b.rows != b.columns) {
    throw InputError("alignment of responses to " + std::to_string(a.rows) + " and to " + std::to_string(b.rows) +
                     " stimuli: both must have seen the same");
  }
  const Matrix<double> k = centred(a), l = centred(b);
  const Alignment kl = alignment(k, l), kk = alignment(k, k), ll = alignment(l, l);
  return {ratio(kl.plain, kk.plain, ll.plain),
          a.rows < 4 ? std::numeric_limits<double>::quiet_NaN() : ratio(kl.unbiased, kk.unbiased, ll.unbiased)};
}

template <class T>
Cka cka(const CpuStream& stream, const Source<T>& a, const Source<T>& b) {
  return cka_of_products(a.gram(stream), b.gram(stream));
}

template Cka cka(const CpuStream&, const Source<float>&, const Source<float>&);
template Cka cka(const CpuStream&, const Source<double>&, const Source<double>&);

}  // namespace chiasm

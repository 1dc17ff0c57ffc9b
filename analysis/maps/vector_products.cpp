// SPDX-License-Identifier: Apache-2.0
#include "analysis/maps/vector_products.h"

#include <algorithm>
#include <cassert>

#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kLanes = 16;       // partial sums of a dot product, the same for every instruction set
constexpr std::int64_t kGrain = 1 << 15;  // products that one thread is worth
constexpr std::int64_t kColumns = 1024;   // of y = X'v at once: y stays in the first cache

template <class T>
__attribute__((always_inline)) inline double lane_dot(const T* a, const double* b, std::int64_t n) {
  double lanes[kLanes] = {};
  std::int64_t k = 0;
  for (; k + kLanes <= n; k += kLanes) {
    for (std::int64_t l = 0; l < kLanes; ++l) lanes[l] += static_cast<double>(a[k + l]) * b[k + l];
  }
  double sum = 0.0;
  for (; k < n; ++k) sum += static_cast<double>(a[k]) * b[k];
  for (const double lane : lanes) sum += lane;
  return sum;
}

std::int64_t grain_of(std::int64_t length) {
  return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, length));
}

}  // namespace

double dot(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  double sum = 0.0;
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA { sum = lane_dot(a.data(), b.data(), std::ssize(a)); });
  return sum;
}

void add_scaled(double factor, std::span<const double> x, std::span<double> y) {
  assert(x.size() == y.size());
  with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
    for (std::size_t k = 0; k < x.size(); ++k) y[k] += factor * x[k];
  });
}

template <class T>
void multiply_columns(const CpuStream& stream, MatrixView<T> x, std::span<const double> v, std::span<double> y) {
  assert(std::ssize(v) == x.columns && std::ssize(y) == x.rows);
  stream.parallel_for(x.rows, grain_of(x.columns), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t i = begin; i < end; ++i) y[i] = lane_dot(x.data + i * x.stride, v.data(), x.columns);
    });
  });
}

template <class T>
void multiply_rows(const CpuStream& stream, MatrixView<T> x, std::span<const double> v, std::span<double> y) {
  assert(std::ssize(v) == x.rows && std::ssize(y) == x.columns);
  stream.parallel_for(x.columns, grain_of(x.rows), [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t first = begin; first < end; first += kColumns) {
        const std::int64_t count = std::min(kColumns, end - first);
        double* const to = y.data() + first;
        std::fill_n(to, count, 0.0);
        std::int64_t i = 0;
        for (; i + 4 <= x.rows; i += 4) {  // four rows at once: y is read and written a quarter as often
          const T* const a = x.data + i * x.stride + first;
          const T *const b = a + x.stride, *const c = b + x.stride, *const d = c + x.stride;
          const double va = v[i], vb = v[i + 1], vc = v[i + 2], vd = v[i + 3];
          for (std::int64_t k = 0; k < count; ++k) {
            to[k] += (va * static_cast<double>(a[k]) + vb * static_cast<double>(b[k])) +
                     (vc * static_cast<double>(c[k]) + vd * static_cast<double>(d[k]));
          }
        }
        for (; i < x.rows; ++i) {
          const T* const row = x.data + i * x.stride + first;
          for (std::int64_t k = 0; k < count; ++k) to[k] += v[i] * static_cast<double>(row[k]);
        }
      }
    });
  });
}

void add_outer(const CpuStream& stream, double factor, std::span<const double> a, std::span<const double> b,
               Matrix<double>& x) {
  assert(std::ssize(a) == x.rows() && std::ssize(b) == x.columns());
  stream.parallel_for(x.rows(), grain_of(x.columns()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) add_scaled(factor * a[i], b, x.row(i));
  });
}

template void multiply_columns(const CpuStream&, MatrixView<float>, std::span<const double>, std::span<double>);
template void multiply_columns(const CpuStream&, MatrixView<double>, std::span<const double>, std::span<double>);
template void multiply_rows(const CpuStream&, MatrixView<float>, std::span<const double>, std::span<double>);
template void multiply_rows(const CpuStream&, MatrixView<double>, std::span<const double>, std::span<double>);

}  // namespace chiasm

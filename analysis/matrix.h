// SPDX-License-Identifier: Apache-2.0
// Matrices of the analysis layer: rows are stimuli, columns are units. float or double.
#pragma once

#include <cassert>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor.h"

namespace chiasm {

// A borrowed row-major matrix with `stride` elements between rows.
template <class T>
struct MatrixView {
  const T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;

  std::span<const T> row(std::int64_t i) const { return {data + i * stride, static_cast<std::size_t>(columns)}; }
  T operator()(std::int64_t i, std::int64_t k) const { return data[i * stride + k]; }
};

// An owned one, without gaps between rows.
template <class T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::int64_t rows, std::int64_t columns)  // zeros
      : rows_(rows), columns_(columns), values_(static_cast<std::size_t>(rows * columns)) {}
  Matrix(std::int64_t rows, std::int64_t columns, std::vector<T> values)
      : rows_(rows), columns_(columns), values_(std::move(values)) {
    assert(std::ssize(values_) == rows * columns);
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }
  std::span<T> row(std::int64_t i) { return {data() + i * columns_, static_cast<std::size_t>(columns_)}; }
  std::span<const T> row(std::int64_t i) const { return {data() + i * columns_, static_cast<std::size_t>(columns_)}; }
  T& operator()(std::int64_t i, std::int64_t k) { return values_[static_cast<std::size_t>(i * columns_ + k)]; }
  T operator()(std::int64_t i, std::int64_t k) const { return values_[static_cast<std::size_t>(i * columns_ + k)]; }
  std::span<T> values() { return values_; }
  std::span<const T> values() const { return values_; }

  MatrixView<T> view() const { return {data(), rows_, columns_, columns_}; }
  operator MatrixView<T>() const { return view(); }
  bool operator==(const Matrix&) const = default;

 private:
  std::int64_t rows_ = 0, columns_ = 0;
  std::vector<T> values_;
};

// Rows `indices` of `x`, in that order; a row may be taken more than once. REQUIRES: they exist.
template <class T>
Matrix<T> take_rows(MatrixView<T> x, std::span<const std::int64_t> indices);
template <class T>
Matrix<T> transposed(MatrixView<T> x);

// A tensor [rows, columns], or [rows] as one column, of any element type. Throws ShapeError for other ranks.
template <class T>
Matrix<T> matrix_of(const Tensor& tensor);
template <class T>
Tensor tensor_of(MatrixView<T> x);

}  // namespace chiasm

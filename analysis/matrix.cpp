// SPDX-License-Identifier: Apache-2.0
#include "analysis/matrix.h"

#include <algorithm>

namespace chiasm {

template <class T>
Matrix<T> take_rows(MatrixView<T> x, std::span<const std::int64_t> indices) {
  Matrix<T> taken(std::ssize(indices), x.columns);
  for (std::int64_t i = 0; i < taken.rows(); ++i) {
    std::ranges::copy(x.row(indices[static_cast<std::size_t>(i)]), taken.row(i).begin());
  }
  return taken;
}

template <class T>
Matrix<T> transposed(MatrixView<T> x) {
  constexpr std::int64_t kTile = 32;  // rows and columns of a tile share the cache
  Matrix<T> y(x.columns, x.rows);
  for (std::int64_t i0 = 0; i0 < x.rows; i0 += kTile) {
    for (std::int64_t k0 = 0; k0 < x.columns; k0 += kTile) {
      for (std::int64_t i = i0; i < std::min(i0 + kTile, x.rows); ++i) {
        for (std::int64_t k = k0; k < std::min(k0 + kTile, x.columns); ++k) y(k, i) = x(i, k);
      }
    }
  }
  return y;
}

template <class T>
Matrix<T> matrix_of(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  if (shape.rank() != 1 && shape.rank() != 2) {
    throw ShapeError("a matrix has 1 or 2 axes, found " + to_string(tensor.spec()));
  }
  Matrix<T> matrix(shape[0], shape.rank() == 2 ? shape[1] : 1);
  const auto copy = [&](auto values) {
    std::ranges::transform(values, matrix.values().begin(), [](auto value) { return static_cast<T>(value); });
  };
  switch (tensor.dtype()) {
    case DType::kFloat32:
      copy(tensor.values<float>());
      break;
    case DType::kFloat64:
      copy(tensor.values<double>());
      break;
    case DType::kInt32:
      copy(tensor.values<std::int32_t>());
      break;
    case DType::kUInt8:
      copy(tensor.values<std::uint8_t>());
      break;
  }
  return matrix;
}

template <class T>
Tensor tensor_of(MatrixView<T> x) {
  Tensor tensor(Spec{dtype_of<T>, {x.rows, x.columns}});
  for (std::int64_t i = 0; i < x.rows; ++i) {
    std::ranges::copy(x.row(i), tensor.values<T>().begin() + i * x.columns);
  }
  return tensor;
}

template Matrix<float> take_rows(MatrixView<float>, std::span<const std::int64_t>);
template Matrix<double> take_rows(MatrixView<double>, std::span<const std::int64_t>);
template Matrix<float> transposed(MatrixView<float>);
template Matrix<double> transposed(MatrixView<double>);
template Matrix<float> matrix_of(const Tensor&);
template Matrix<double> matrix_of(const Tensor&);
template Tensor tensor_of(MatrixView<float>);
template Tensor tensor_of(MatrixView<double>);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "kernels/linear/linear.h"

#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

std::int64_t columns_of(const Shape& shape) { return shape[shape.rank() - 1]; }
std::int64_t rows_of(const Shape& shape) { return shape.elements() / columns_of(shape); }

// The leading axes: one row per index.
Shape leading(const Shape& shape) { return Shape(shape.sizes().first(static_cast<std::size_t>(shape.rank() - 1))); }

// Calls body(row of a, row of b) for each row; a row is a pointer to its first element.
template <class A, class B, class Body>
void for_each_row(A* a, const Strides& a_strides, B* b, const Strides& b_strides, const Shape& shape, Body&& body) {
  for_each_offset(
      leading(shape), [&](std::int64_t i, std::int64_t j) { body(a + i, b + j); }, a_strides, b_strides);
}

// y[r, o] = sum over i of x[r, i] w(i, o), with w read through strides so that it may be a transpose.
template <class T>
void reference_product(const View& x, const T* w, std::int64_t w_row, std::int64_t w_column, const MutableView& y) {
  const std::int64_t in = columns_of(x.shape()), out = columns_of(y.shape());
  const std::int64_t x_step = x.strides()[x.shape().rank() - 1], y_step = y.strides()[y.shape().rank() - 1];
  for_each_row(x.as<T>(), x.strides(), y.as<T>(), y.strides(), x.shape(), [&](const T* from, T* to) {
    for (std::int64_t o = 0; o < out; ++o) to[o * y_step] = T(0);
    for (std::int64_t i = 0; i < in; ++i) {
      const T value = from[i * x_step];
      for (std::int64_t o = 0; o < out; ++o) to[o * y_step] += value * w[i * w_row + o * w_column];
    }
  });
}

template <class T>
void reference_weight_gradient(const View& x, const View& dy, const MutableView& dw) {
  const auto d = dw.access<T, 2>();
  const std::int64_t in = dw.shape()[0], out = dw.shape()[1];
  const std::int64_t x_step = x.strides()[x.shape().rank() - 1], dy_step = dy.strides()[dy.shape().rank() - 1];
  for (std::int64_t i = 0; i < in; ++i) {
    for (std::int64_t o = 0; o < out; ++o) d(i, o) = T(0);
  }
  for_each_row(x.as<T>(), x.strides(), dy.as<T>(), dy.strides(), x.shape(), [&](const T* from, const T* error) {
    for (std::int64_t i = 0; i < in; ++i) {
      for (std::int64_t o = 0; o < out; ++o) d(i, o) += from[i * x_step] * error[o * dy_step];
    }
  });
}

}  // namespace

std::vector<Spec> Linear::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 3);
  const Spec &x = in[0], &weight = in[1];
  if (x.shape.rank() < 2) {
    throw_shape(kName, "x must have at least 2 axes, found shape " + to_string(x.shape));
  }
  require_floating(kName, "x", x);
  require_rank(kName, "weight", weight, 2);
  require_dtype(kName, "weight", weight, x.dtype);
  require_dtype(kName, "weight_backward", in[2], x.dtype);
  require_shape(kName, "weight_backward", in[2], weight.shape);
  if (weight.shape.elements() == 0) {
    throw_shape(kName, "weight must have at least one element, found shape " + to_string(weight.shape));
  }
  if (columns_of(x.shape) != weight.shape[0]) {
    throw_shape(kName, "x " + to_string(x.shape) + " has " + std::to_string(columns_of(x.shape)) +
                           " features, weight " + to_string(weight.shape) + " takes " +
                           std::to_string(weight.shape[0]));
  }
  return {Spec{x.dtype, x.shape.with(x.shape.rank() - 1, weight.shape[1])}};
}

GradientRule Linear::gradient(int input) const {
  switch (input) {
    case 0:
      return GradientRule::kernel({2});
    case 1:
      return GradientRule::kernel({0});
    default:
      return GradientRule::none();
  }
}

void Linear::forward(CpuStream& stream, Inputs in, Outputs out) const {
  const View &x = in[0], &w = in[1];
  const MutableView& y = out[0];
  const std::int64_t n = w.shape()[0], m = w.shape()[1];
  if (y.dtype() == DType::kFloat32 && all_dense(x, w, y)) {
    // [rows, in] x [in, out]
    gemm(stream, rows_of(x.shape()), m, n, {x.as<float>(), n}, {w.as<float>(), m}, 0.0f, y.as<float>(), m);
    return;
  }
  visit_floating(y.dtype(), [&]<class T>() { reference_product<T>(x, w.as<T>(), w.strides()[0], w.strides()[1], y); });
}

void Linear::backward(CpuStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const bool fast = dx.dtype() == DType::kFloat32 && all_dense(dy, dx, in[input == 0 ? 2 : 0]);
  const std::int64_t m = columns_of(dy.shape()), rows = rows_of(dy.shape());
  if (input == 0) {
    const View& w = in[2];
    const std::int64_t n = w.shape()[0];
    if (fast) {  // [rows, out] x [in, out]^T
      gemm(stream, rows, n, m, {dy.as<float>(), m}, {w.as<float>(), m, true}, 0.0f, dx.as<float>(), n);
      return;
    }
    visit_floating(dx.dtype(),
                   [&]<class T>() { reference_product<T>(dy, w.as<T>(), w.strides()[1], w.strides()[0], dx); });
  } else {
    const View& x = in[0];
    const std::int64_t n = columns_of(x.shape());
    if (fast) {  // [rows, in]^T x [rows, out]
      gemm(stream, n, m, rows, {x.as<float>(), n, true}, {dy.as<float>(), m}, 0.0f, dx.as<float>(), m);
      return;
    }
    visit_floating(dx.dtype(), [&]<class T>() { reference_weight_gradient<T>(x, dy, dx); });
  }
}

}  // namespace chiasm

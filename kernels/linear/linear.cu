// SPDX-License-Identifier: Apache-2.0
// Linear on CUDA: each pass is one product by cuBLASLt, with the leading axes of x as rows.
#include "kernels/cuda/stream.h"
#include "kernels/linear/linear.h"
#include "kernels/vendor/cublas_lt.cuh"

namespace chiasm {
namespace {

// The products of an input x [rows, in] and a weight [in, out].
MatrixProduct forward_product(const Shape& x, const Shape& weight) {
  return {.m = x.elements() / weight[0], .n = weight[1], .k = weight[0]};
}
MatrixProduct backward_product(int input, const Shape& x, const Shape& weight) {
  const MatrixProduct y = forward_product(x, weight);
  if (input == 0) return {.m = y.m, .n = y.k, .k = y.n, .transpose_b = true};  // [rows, out] x [in, out]^T
  return {.m = y.k, .n = y.n, .k = y.m, .transpose_a = true};                  // [rows, in]^T x [rows, out]
}

void run(CudaStream& stream, const MatrixProduct& product, const View& a, const View& b, const MutableView& c) {
  require_cuda_views(Linear::kName, std::array{a, b}, std::array{c});
  run_product(stream, product, {.a = a.as<float>(), .b = b.as<float>(), .c = c.as<float>()},
              stream.workspace(product_workspace_bytes(stream, product)));
}

}  // namespace

std::int64_t Linear::workspace_bytes(const CudaStream& stream, std::span<const Spec> in) const {
  return product_workspace_bytes(stream, forward_product(in[0].shape, in[1].shape));
}

std::int64_t Linear::backward_workspace_bytes(const CudaStream& stream, int input, std::span<const Spec> in) const {
  return product_workspace_bytes(stream, backward_product(input, in[0].shape, in[1].shape));
}

void Linear::forward(CudaStream& stream, Inputs in, Outputs out) const {
  run(stream, forward_product(in[0].shape(), in[1].shape()), in[0], in[1], out[0]);
}

void Linear::backward(CudaStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  const MatrixProduct product = backward_product(input, in[0].shape(), in[1].shape());
  if (input == 0) {
    run(stream, product, dy, in[2], dx);
  } else {
    run(stream, product, in[0], dy, dx);
  }
}

}  // namespace chiasm

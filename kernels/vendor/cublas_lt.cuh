// SPDX-License-Identifier: Apache-2.0
// Matrix products by cuBLASLt: C = alpha op(A) op(B) + beta C, row-major, float32 in and out. How the factors are
// rounded is the stream's CudaMath; sums are accumulated in float32. A bfloat16 product casts its factors into the
// workspace: 4 bytes read and 2 written for each element, and 2 read by the product.
//
// A product is planned (descriptors, algorithm, workspace size) once per shape and stream context. In deterministic
// mode a sum over k is never cut into parts that meet in the output; parts that meet in the workspace are added in a
// fixed order.
#pragma once

#include <cstdint>

#include "kernels/cuda/stream.h"

namespace chiasm {

// What happens to C after the sum. None of our ops uses a bias: Linear has no bias input.
enum class ProductEpilogue : std::uint8_t { kNone, kBias, kBiasRelu };

struct MatrixProduct {
  std::int64_t m = 0, n = 0, k = 0;  // C is m x n; op(A) is m x k; op(B) is k x n
  bool transpose_a = false;          // A lies as k x m
  bool transpose_b = false;          // B lies as n x k
  ProductEpilogue epilogue = ProductEpilogue::kNone;

  auto operator<=>(const MatrixProduct&) const = default;
};

struct ProductOperands {
  const float* a = nullptr;  // dense, as c
  const float* b = nullptr;
  float* c = nullptr;
  const float* bias = nullptr;  // n values at a multiple of 16 bytes, with an epilogue that adds them
  float alpha = 1.0f;
  float beta = 0.0f;  // zero: C is not read
};

// Plans the product. Throws DeviceError when the device has no algorithm for it.
std::int64_t product_workspace_bytes(const CudaStream& stream, const MatrixProduct& product);

// REQUIRES: `workspace` of the size above. Operands may start at any element.
void run_product(const CudaStream& stream, const MatrixProduct& product, const ProductOperands& operands,
                 std::byte* workspace);

// How many products this stream context has planned.
std::int64_t planned_products(const CudaStream& stream);

}  // namespace chiasm

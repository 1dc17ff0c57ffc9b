// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/passes.h"

#include <algorithm>

#include "kernels/convolution/depthwise.h"
#include "kernels/convolution/matrix_product.h"
#include "kernels/convolution/reference.h"
#include "kernels/op.h"

namespace chiasm {

ConvMethod choose_method(const CpuStream&, ConvPass, DType dtype, const ConvGeometry& g) {
  if (dtype != DType::kFloat32 || g.batch == 0) return ConvMethod::kReference;
  if (g.depthwise()) return ConvMethod::kDepthwise;
  return ConvMethod::kMatrixProduct;
}

std::int64_t conv_workspace_bytes(const CpuStream& stream, ConvPass pass, DType dtype, const ConvGeometry& g) {
  switch (choose_method(stream, pass, dtype, g)) {
    case ConvMethod::kDepthwise:
      return depthwise_workspace_bytes(stream, pass, g);
    case ConvMethod::kMatrixProduct:
      return matrix_product_workspace_bytes(g);
    default:
      return 0;
  }
}

void run_convolution(const CpuStream& stream, ConvPass pass, const ConvGeometry& g, const View& a, const View& b,
                     const MutableView& result) {
  const ConvMethod method =
      all_dense(a, b, result) ? choose_method(stream, pass, result.dtype(), g) : ConvMethod::kReference;
  if (method == ConvMethod::kReference) {
    visit_floating(result.dtype(), [&]<class T>() { reference_convolution<T>(pass, g, a, b, result); });
    return;
  }
  std::byte* workspace = stream.workspace(conv_workspace_bytes(stream, pass, result.dtype(), g));
  const float *p = a.as<float>(), *q = b.as<float>();
  float* r = result.as<float>();
  if (method == ConvMethod::kDepthwise) {
    depthwise_convolution(stream, pass, g, p, q, r, workspace);
  } else {
    matrix_product_convolution(stream, pass, g, p, q, r, workspace);
  }
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/definition.cuh"
#include "kernels/convolution/depthwise.cuh"
#include "kernels/convolution/library.cuh"
#include "kernels/convolution/passes.cuh"
#include "kernels/cuda/check.cuh"
#include "kernels/op.h"
#include "kernels/vendor/cublas_lt.cuh"

namespace chiasm {
namespace {

bool is_product(const ConvGeometry& g) {
  const Window2d& w = g.window;
  return g.groups == 1 && w.kernel == Size2d{} && w.stride == Size2d{} && w.out == w.in && w.top == 0 && w.left == 0;
}

MatrixProduct product_of(ConvPass pass, const ConvGeometry& g) {
  const std::int64_t pixels = g.batch * g.out_pixels();
  switch (pass) {
    case ConvPass::kForward:  // [pixels, in] x [in, out]
      return {.m = pixels, .n = g.out_channels, .k = g.in_channels};
    case ConvPass::kInputGradient:  // [pixels, out] x [in, out]^T
      return {.m = pixels, .n = g.in_channels, .k = g.out_channels, .transpose_b = true};
    case ConvPass::kWeightGradient:  // [pixels, in]^T x [pixels, out]
      break;
  }
  return {.m = g.in_channels, .n = g.out_channels, .k = pixels, .transpose_a = true};
}

}  // namespace

CudaConvMethod choose_method(const CudaStream& stream, ConvPass pass, const ConvGeometry& g) {
  if (g.groups == g.in_channels && g.groups > 1) return CudaConvMethod::kDepthwise;
  if (is_product(g)) return CudaConvMethod::kProduct;
  return library_has(stream, pass, g) ? CudaConvMethod::kLibrary : CudaConvMethod::kDefinition;
}

std::int64_t conv_workspace_bytes(const CudaStream& stream, ConvPass pass, const ConvGeometry& g) {
  if (g.batch == 0) return 0;
  switch (choose_method(stream, pass, g)) {
    case CudaConvMethod::kDepthwise:
      return depthwise_workspace_bytes(pass, g);
    case CudaConvMethod::kProduct:
      return product_workspace_bytes(stream, product_of(pass, g));
    case CudaConvMethod::kLibrary:
      return library_workspace_bytes(stream, pass, g);
    case CudaConvMethod::kDefinition:
      break;
  }
  return 0;
}

void run_convolution(const CudaStream& stream, std::string_view op, ConvPass pass, const ConvGeometry& g, const View& a,
                     const View& b, const MutableView& result) {
  require_cuda_views(op, std::array{a, b}, std::array{result});
  const float *p = a.as<float>(), *q = b.as<float>();
  float* r = result.as<float>();
  if (g.batch == 0) {  // the sum over no images
    if (pass == ConvPass::kWeightGradient) {
      CHIASM_CUDA(cudaMemsetAsync(r, 0, static_cast<std::size_t>(g.w_elements()) * sizeof(float), stream.native()));
    }
    return;
  }
  std::byte* workspace = stream.workspace(conv_workspace_bytes(stream, pass, g));
  switch (choose_method(stream, pass, g)) {
    case CudaConvMethod::kDepthwise:
      return depthwise_convolution(stream, pass, g, p, q, r, workspace);
    case CudaConvMethod::kProduct:
      return run_product(stream, product_of(pass, g), {.a = p, .b = q, .c = r}, workspace);
    case CudaConvMethod::kLibrary:
      if (library_convolution(stream, pass, g, p, q, r, workspace)) return;
      [[fallthrough]];
    case CudaConvMethod::kDefinition:
      return convolution_by_definition(stream, pass, g, p, q, r);
  }
}

}  // namespace chiasm

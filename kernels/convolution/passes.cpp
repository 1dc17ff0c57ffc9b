// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/passes.h"

#include "kernels/convolution/depthwise.h"
#include "kernels/convolution/direct.h"
#include "kernels/convolution/matrix_product.h"
#include "kernels/convolution/reference.h"
#include "kernels/op.h"

namespace chiasm {
namespace {

// All measured by bench/kernels/convolution_bench.cpp, on AVX2.
//
// Up to so many output pixels an image is small beside its kernel, and reordering the kernel for oneDNN costs more than
// gathering patches.
constexpr std::int64_t kSmallMap = 16;
// With many output channels the matrices are wide, and a matrix product outruns oneDNN on larger maps too, but in the
// input gradient, where patches have to be summed. At 8 x 8, 3 x 3 taps, 256 -> 256 channels, two threads, GFLOP/s of
// matrix product against oneDNN: forward 134 and 101, weight gradient 137 and 101; at 16 x 16, 128 -> 128, weight
// gradient 130 and 122, forward 118 and 131.
constexpr std::int64_t kWideForward = 256, kMediumMap = 64;
constexpr std::int64_t kWideForWeights = 128, kMediumMapForWeights = 256;

// oneDNN's depthwise forward pass skips padding; its input gradient does on small maps only, and its weight gradient
// is several times slower than ours.
bool depthwise_by_onednn(ConvPass pass, const ConvGeometry& g) {
  return pass == ConvPass::kForward || (pass == ConvPass::kInputGradient && g.out_pixels() <= kSmallMap);
}

bool by_matrix_product(ConvPass pass, const ConvGeometry& g) {
  if (g.out_pixels() <= kSmallMap) return true;
  switch (pass) {
    case ConvPass::kForward:
      // 1 x 1 kernels are oneDNN's best case.
      return g.taps() > 1 && g.out_channels >= kWideForward && g.out_pixels() <= kMediumMap;
    case ConvPass::kInputGradient:
      return false;
    case ConvPass::kWeightGradient:
      return (g.taps() == 1 || g.out_channels >= kWideForWeights) && g.out_pixels() <= kMediumMapForWeights;
  }
  return false;
}

}  // namespace

ConvMethod choose_method(const CpuStream& stream, ConvPass pass, DType dtype, const ConvGeometry& g) {
  if (dtype != DType::kFloat32 || g.batch == 0) return ConvMethod::kReference;
  if (g.depthwise() && g.groups > 1) {
    return depthwise_by_onednn(pass, g) && has_direct(stream, pass, g) ? ConvMethod::kOneDnn : ConvMethod::kDepthwise;
  }
  if (g.groups == 1 && by_matrix_product(pass, g)) return ConvMethod::kMatrixProduct;
  return has_direct(stream, pass, g) ? ConvMethod::kOneDnn : ConvMethod::kMatrixProduct;
}

std::int64_t conv_workspace_bytes(const CpuStream& stream, ConvPass pass, DType dtype, const ConvGeometry& g) {
  switch (choose_method(stream, pass, dtype, g)) {
    case ConvMethod::kDepthwise:
      return depthwise_workspace_bytes(stream, pass, g);
    case ConvMethod::kMatrixProduct:
      return matrix_product_workspace_bytes(g);
    case ConvMethod::kOneDnn:
      return direct_workspace_bytes(stream, pass, g);
    case ConvMethod::kReference:
      break;
  }
  return 0;
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
  switch (method) {
    case ConvMethod::kDepthwise:
      return depthwise_convolution(stream, pass, g, p, q, r, workspace);
    case ConvMethod::kMatrixProduct:
      return matrix_product_convolution(stream, pass, g, p, q, r, workspace);
    case ConvMethod::kOneDnn:
      return direct_convolution(stream, pass, g, p, q, r, workspace);
    case ConvMethod::kReference:
      return;
  }
}

}  // namespace chiasm

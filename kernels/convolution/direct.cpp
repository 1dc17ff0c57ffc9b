// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/direct.h"

#include <algorithm>

#include "kernels/vendor/onednn.h"

namespace chiasm {
namespace {

// Pieces of the batch in deterministic mode, at least.
constexpr std::int64_t kPieces = 16;

// The images of one library call, and the threads it may use.
struct Cut {
  std::int64_t images;
  int threads;
};

Cut cut(const CpuStream& stream, const ConvGeometry& g) {
  if (!stream.deterministic()) return {g.batch, stream.threads()};
  std::int64_t images = (g.batch + kPieces - 1) / kPieces;
  while (g.batch % images != 0) --images;
  return {images, 1};
}

std::shared_ptr<const OneDnnConvolution> compiled(ConvPass pass, ConvGeometry g, std::int64_t images, int threads) {
  g.batch = images;
  return OneDnnConvolution::get(pass, g, threads);
}

}  // namespace

bool has_direct(const CpuStream& stream, ConvPass pass, const ConvGeometry& g) {
  if (stream.deterministic() && pass == ConvPass::kWeightGradient) return false;
  const Cut c = cut(stream, g);
  return compiled(pass, g, c.images, c.threads)->direct();
}

std::int64_t direct_workspace_bytes(const CpuStream& stream, ConvPass pass, const ConvGeometry& g) {
  const Cut c = cut(stream, g);
  const auto code = compiled(pass, g, c.images, c.threads);
  return code->kernel_bytes() + g.batch / c.images * code->scratch_bytes();
}

void direct_convolution(const CpuStream& stream, ConvPass pass, const ConvGeometry& g, const float* a, const float* b,
                        float* result, std::byte* workspace) {
  const Cut c = cut(stream, g);
  const auto code = compiled(pass, g, c.images, c.threads);
  std::byte* kernel = workspace;
  std::byte* scratch = workspace + code->kernel_bytes();
  if (pass == ConvPass::kWeightGradient) {
    code->run(a, b, kernel, scratch);
    code->export_kernel(kernel, result, scratch);
    return;
  }
  code->import_kernel(b, kernel, scratch);
  if (!stream.deterministic()) {
    code->run(a, kernel, result, scratch);
    return;
  }
  const std::int64_t a_image = (pass == ConvPass::kForward ? g.x_elements() : g.y_elements()) / g.batch;
  const std::int64_t r_image = (pass == ConvPass::kForward ? g.y_elements() : g.x_elements()) / g.batch;
  stream.parallel_tasks(g.batch / c.images, [&](std::int64_t piece) {
    const std::int64_t first = piece * c.images;
    code->run(a + first * a_image, kernel, result + first * r_image, scratch + piece * code->scratch_bytes());
  });
}

}  // namespace chiasm

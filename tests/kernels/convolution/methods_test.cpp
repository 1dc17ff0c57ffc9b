// SPDX-License-Identifier: Apache-2.0
// Every way of computing a convolution agrees with the definition, also for shapes for which another way is chosen.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/convolution/depthwise.h"
#include "kernels/convolution/direct.h"
#include "kernels/convolution/matrix_product.h"
#include "kernels/convolution/reference.h"
#include "tests/support/compare.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

ConvGeometry problem(std::int64_t batch, Size2d in, std::int64_t channels, std::int64_t out_channels,
                     std::int64_t groups, Size2d kernel, Size2d stride = {}, Size2d dilation = {},
                     Padding2d padding = Padding2d::same()) {
  return {.batch = batch,
          .in_channels = channels,
          .out_channels = out_channels,
          .groups = groups,
          .window = resolve_window("test", padding, in, kernel, stride, dilation)};
}

std::vector<ConvGeometry> problems() {
  return {problem(2, {9, 7}, 24, 24, 24, {3, 5}),
          problem(3, {8, 10}, 13, 13, 13, {7, 7}),
          problem(2, {7, 8}, 17, 17, 17, {3, 2}, {2, 3}),
          problem(1, {9, 9}, 8, 8, 8, {3, 3}, {1, 2}, {2, 2}),
          problem(1, {27, 30}, 16, 16, 16, {7, 7}),  // several strips
          problem(1, {31, 25}, 20, 20, 20, {3, 11}, {3, 2}),
          problem(1, {5, 4}, 2, 2, 2, {3, 2}, {}, {}, Padding2d::sides(4, 0, 0, 3)),
          problem(2, {2, 2}, 32, 32, 32, {2, 2}),
          problem(17, {5, 6}, 8, 24, 1, {3, 3}),
          problem(2, {9, 8}, 16, 32, 2, {3, 3}, {2, 2}),
          problem(1, {6, 6}, 3, 64, 1, {7, 7}, {2, 2}),
          problem(2, {6, 5}, 16, 8, 1, {1, 1}),
          problem(2, {6, 5}, 8, 8, 1, {1, 1}, {2, 2})};
}

Spec image(const ConvGeometry& g) { return {DType::kFloat32, {g.batch, g.window.in.h, g.window.in.w, g.in_channels}}; }
Spec output(const ConvGeometry& g) {
  return {DType::kFloat32, {g.batch, g.window.out.h, g.window.out.w, g.out_channels}};
}
Spec kernel(const ConvGeometry& g) {
  return {DType::kFloat32, {g.window.kernel.h, g.window.kernel.w, g.group_in(), g.out_channels}};
}

Buffer filled(const Spec& spec, std::int64_t seed) {
  Buffer buffer(spec);
  float* x = buffer.view().as<float>();
  for (std::int64_t i = 0; i < buffer.view().elements(); ++i) {
    x[i] = static_cast<float>((i * 7919 + seed) % 1009) / 504.0f - 1.0f;
  }
  return buffer;
}

using Method = void (*)(const CpuStream&, ConvPass, const ConvGeometry&, const float*, const float*, float*,
                        std::byte*);

struct Sample {
  ConvPass pass;
  ConvGeometry g;
  Buffer a, b, expected;
};

Sample sample_of(ConvPass pass, const ConvGeometry& g) {
  const Spec a = pass == ConvPass::kInputGradient ? output(g) : image(g);
  const Spec b = pass == ConvPass::kWeightGradient ? output(g) : kernel(g);
  const Spec r = pass == ConvPass::kForward ? output(g) : pass == ConvPass::kInputGradient ? image(g) : kernel(g);
  Sample sample{pass, g, filled(a, 1), filled(b, 2), Buffer(r)};
  reference_convolution<float>(pass, g, sample.a.view(), sample.b.view(), sample.expected.view());
  return sample;
}

void expect_agrees(const char* name, Method method, const CpuStream& stream, const Sample& sample,
                   std::int64_t workspace_bytes) {
  const ConvGeometry& g = sample.g;
  const Spec spec = sample.expected.view().spec();
  Buffer found(spec), workspace(Spec{DType::kUInt8, {workspace_bytes}});
  method(stream, sample.pass, g, sample.a.view().as<float>(), sample.b.view().as<float>(), found.view().as<float>(),
         static_cast<std::byte*>(workspace.view().data()));
  const double reduction =
      static_cast<double>(sample.pass == ConvPass::kWeightGradient ? g.batch * g.out_pixels()
                                                                   : g.taps() * std::max(g.group_in(), g.group_out()));
  SCOPED_TRACE(std::string(name) + ", pass " + std::to_string(static_cast<int>(sample.pass)) + ", threads " +
               std::to_string(stream.threads()) + ", " + to_string(spec));
  // k: both sides round, each a product and a sum per term.
  EXPECT_TRUE(near(found.view(), sample.expected.view(), rounding_tolerance(DType::kFloat32, 4.0, reduction)));
  EXPECT_TRUE(found.fences_hold());
  EXPECT_TRUE(workspace.fences_hold());
}

TEST(ConvolutionMethods, AgreeWithTheDefinition) {
  int direct = 0;
  for (const ConvGeometry& g : problems()) {
    for (ConvPass pass : {ConvPass::kForward, ConvPass::kInputGradient, ConvPass::kWeightGradient}) {
      const Sample sample = sample_of(pass, g);
      for (const CpuStream& stream : {CpuStream(1), CpuStream(2), CpuStream(2, true)}) {
        expect_agrees("matrix product", matrix_product_convolution, stream, sample, matrix_product_workspace_bytes(g));
        if (g.depthwise()) {
          expect_agrees("depthwise", depthwise_convolution, stream, sample, depthwise_workspace_bytes(stream, pass, g));
        }
        if (!has_direct(stream, pass, g)) continue;
        ++direct;
        expect_agrees("direct", direct_convolution, stream, sample, direct_workspace_bytes(stream, pass, g));
      }
    }
  }
  EXPECT_GT(direct, 0);
}

}  // namespace
}  // namespace chiasm::test

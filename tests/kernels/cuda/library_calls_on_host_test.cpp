// SPDX-License-Identifier: Apache-2.0
// What products and convolutions ask of cuBLASLt and cuDNN, as the emulated libraries recorded it.
#include <gmock/gmock.h>

#include "kernels/convolution/conv2d.h"
#include "kernels/cuda/capture.h"
#include "kernels/linear/linear.h"
#include "tests/cuda_on_host/vendor/library_record.h"
#include "tests/kernels/cuda/device_tensor.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"

namespace chiasm::test {
namespace {

using cuda_on_host::ConvolutionRun;
using cuda_on_host::LibraryMath;
using cuda_on_host::LibraryPass;
using cuda_on_host::LibraryTensor;
using cuda_on_host::ProductRun;
using testing::ElementsAre;

class LibraryCalls : public testing::Test {
 protected:
  void SetUp() override {
    objects_before_ = cuda_on_host::live_library_objects();
    cuda_on_host::clear_library_record();
  }
  // Whatever a test does, the libraries have nothing to complain about, and every handle and descriptor is given back.
  void TearDown() override {
    EXPECT_THAT(cuda_on_host::library_misuse(), ElementsAre());
    EXPECT_EQ(cuda_on_host::live_library_objects(), objects_before_);
    cuda_on_host::set_nondeterministic_sums(false);
    cuda_on_host::set_no_engines(false);
  }

 private:
  int objects_before_ = 0;
};

// Runs an op on random inputs, then the gradients of x and weight.
struct Case {
  OpPtr op;
  std::vector<Shape> shapes;
};
std::vector<Buffer> run_all(const Case& c, CudaStream& stream, bool misaligned = false) {
  OpCase op_case;
  op_case.op = c.op;
  for (const Shape& shape : c.shapes) op_case.inputs.push_back({shape});
  const std::vector<Buffer> in = make_inputs(op_case, DType::kFloat32);
  const RunOp run = [&](const AnyOp& op, std::span<const View> views) {
    return run_op_on_cuda(op, views, stream, misaligned);
  };
  std::vector<Buffer> results = run(*c.op, views_of(in));
  const std::vector<View> out{results[0].view()};
  const Buffer dy = weights_like(out[0]);
  for (int i : {0, 1}) results.push_back(*gradient_of(*c.op, i, views_of(in), out, dy.view(), run));
  return results;
}

Case conv(const Conv2d& op, const Shape& x, const Shape& weight) { return {make_op(op), {x, weight, weight}}; }

TEST_F(LibraryCalls, ImagesAreChannelsLastAndWeightsAreTransposed) {
  CudaStream stream;
  run_all(conv({.stride = {2, 1}, .padding = Padding2d::all(1), .dilation = {1, 2}}, {2, 8, 9, 12}, {3, 3, 12, 4}),
          stream);
  const std::vector<ConvolutionRun> runs = cuda_on_host::convolution_runs();
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].pass, LibraryPass::kForward);
  EXPECT_EQ(runs[1].pass, LibraryPass::kInputGradient);
  EXPECT_EQ(runs[2].pass, LibraryPass::kWeightGradient);
  for (const ConvolutionRun& run : runs) {
    EXPECT_THAT(run.x.dims, ElementsAre(2, 12, 8, 9));
    EXPECT_THAT(run.x.strides, ElementsAre(8 * 9 * 12, 1, 9 * 12, 12));
    EXPECT_THAT(run.w.dims, ElementsAre(4, 12, 3, 3));
    EXPECT_THAT(run.w.strides, ElementsAre(9 * 12, 1, 3 * 12, 12));
    EXPECT_THAT(run.y.dims, ElementsAre(2, 4, 4, 7));
    EXPECT_THAT(run.y.strides, ElementsAre(4 * 7 * 4, 1, 7 * 4, 4));
    EXPECT_THAT(run.pre, ElementsAre(1, 1));
    EXPECT_THAT(run.post, ElementsAre(1, 1));  // the last window reaches less, and engines prefer even padding
    EXPECT_THAT(run.stride, ElementsAre(2, 1));
    EXPECT_THAT(run.dilation, ElementsAre(1, 2));
    EXPECT_EQ(run.x.alignment, 16);
    EXPECT_EQ(run.y.alignment, 16);
    EXPECT_EQ(run.math, LibraryMath::kFloat32);
  }
}

TEST_F(LibraryCalls, GroupsAreSeenInTheChannelsOfTheWeight) {
  CudaStream stream;
  run_all(conv({.groups = 3}, {2, 5, 6, 6}, {3, 3, 2, 9}), stream);
  const std::vector<ConvolutionRun> runs = cuda_on_host::convolution_runs();
  ASSERT_EQ(runs.size(), 3u);
  for (const ConvolutionRun& run : runs) {
    EXPECT_EQ(run.x.dims[1], 6);
    EXPECT_THAT(run.w.dims, ElementsAre(9, 2, 3, 3));
  }
}

// "Same" padding at stride 2 on even images lies at the bottom and right only: no engine takes that, so the image is
// padded by us.
TEST_F(LibraryCalls, PaddingThatDiffersOnTwoSidesIsOursAtStrideTwo) {
  CudaStream stream;
  run_all(conv({.stride = {2, 2}}, {2, 8, 6, 4}, {3, 3, 4, 4}), stream);
  const std::vector<ConvolutionRun> runs = cuda_on_host::convolution_runs();
  ASSERT_EQ(runs.size(), 3u);
  for (const ConvolutionRun& run : runs) {
    EXPECT_THAT(run.x.dims, ElementsAre(2, 4, 9, 7));
    EXPECT_THAT(run.pre, ElementsAre(0, 0));
    EXPECT_THAT(run.post, ElementsAre(0, 0));
  }
  cuda_on_host::clear_library_record();
  run_all(conv({}, {2, 8, 6, 4}, {2, 4, 4, 4}), stream);  // at stride 1 one engine does
  for (const ConvolutionRun& run : cuda_on_host::convolution_runs()) {
    EXPECT_THAT(run.x.dims, ElementsAre(2, 4, 8, 6));
    EXPECT_THAT(run.pre, ElementsAre(0, 1));
    EXPECT_THAT(run.post, ElementsAre(1, 2));
  }
}

TEST_F(LibraryCalls, DeterministicModeSkipsEnginesThatAreNot) {
  cuda_on_host::set_nondeterministic_sums(true);
  const Case c = conv({}, {3, 7, 6, 8}, {3, 3, 8, 8});
  CudaStream free, same({.deterministic = true});
  const std::vector<Buffer> a = run_all(c, free), b = run_all(c, free);
  for (const ConvolutionRun& run : cuda_on_host::convolution_runs()) EXPECT_EQ(run.engine, 1);
  EXPECT_FALSE(bit_equal(a[2].view(), b[2].view())) << "the emulated engine should show that it is not deterministic";
  cuda_on_host::clear_library_record();
  const std::vector<Buffer> first = run_all(c, same), second = run_all(c, same);
  ASSERT_EQ(cuda_on_host::convolution_runs().size(), 6u);
  for (const ConvolutionRun& run : cuda_on_host::convolution_runs()) {
    EXPECT_TRUE(run.deterministic);
    EXPECT_EQ(run.engine, 4);
  }
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(bit_equal(second[i].view(), first[i].view()));
}

TEST_F(LibraryCalls, EnginesComputeInTheArithmeticAskedFor) {
  const Case c = conv({}, {2, 6, 6, 16}, {3, 3, 16, 16});
  for (const auto& [math, expected, engine] :
       {std::tuple{CudaMath::kFloat32, LibraryMath::kFloat32, 1}, std::tuple{CudaMath::kTf32, LibraryMath::kTf32, 0},
        std::tuple{CudaMath::kBfloat16, LibraryMath::kBfloat16, 0}}) {
    cuda_on_host::clear_library_record();
    CudaStream stream({.math = math});
    run_all(c, stream);
    ASSERT_EQ(cuda_on_host::convolution_runs().size(), 3u);
    for (const ConvolutionRun& run : cuda_on_host::convolution_runs()) {
      EXPECT_EQ(run.math, expected);
      EXPECT_EQ(run.engine, engine);
    }
  }
  const std::vector<ConvolutionRun> runs = cuda_on_host::convolution_runs();  // bfloat16
  EXPECT_FALSE(runs[0].y.bfloat16) << "float32 results where an engine stores them";
  EXPECT_TRUE(runs[1].x.bfloat16) << "else bfloat16 ones, cast by us";
  EXPECT_FALSE(runs[2].w.bfloat16);
}

TEST_F(LibraryCalls, PlansAreMadeOnce) {
  CudaStream stream;
  const Case c = conv({}, {2, 6, 6, 4}, {3, 3, 4, 4}), linear{make_op(Linear{}), {{6, 8}, {8, 4}, {8, 4}}};
  run_all(c, stream);
  run_all(linear, stream);
  const int convolutions = cuda_on_host::convolution_heuristics(), products = cuda_on_host::product_heuristics();
  const int objects = cuda_on_host::live_library_objects();
  EXPECT_GT(convolutions, 0);
  EXPECT_EQ(products, 3);
  run_all(c, stream);
  run_all(linear, stream);
  CudaStream branch = stream.branch();
  run_all(c, branch);
  run_all(linear, branch);
  EXPECT_EQ(cuda_on_host::convolution_heuristics(), convolutions);
  EXPECT_EQ(cuda_on_host::product_heuristics(), products);
  EXPECT_EQ(cuda_on_host::live_library_objects(), objects);
  run_all(conv({}, {3, 6, 6, 4}, {3, 3, 4, 4}), stream);
  EXPECT_GT(cuda_on_host::convolution_heuristics(), convolutions) << "another batch is another plan";
}

TEST_F(LibraryCalls, WithoutEnginesOurOwnKernelsAreUsed) {
  const Case c = conv({.stride = {2, 1}, .groups = 2}, {2, 6, 5, 6}, {3, 3, 3, 4});
  CudaStream with, without;
  const std::vector<Buffer> expected = run_all(c, with);
  cuda_on_host::clear_library_record();
  cuda_on_host::set_no_engines(true);
  const std::vector<Buffer> found = run_all(c, without);
  EXPECT_TRUE(cuda_on_host::convolution_runs().empty());
  for (std::size_t i = 0; i < found.size(); ++i) {
    // Sums of at most 2 * 6 * 5 products, in another order.
    EXPECT_TRUE(near(found[i].view(), expected[i].view(), rounding_tolerance(DType::kFloat32, 2.0, 60))) << i;
  }
}

TEST_F(LibraryCalls, MisalignedImagesGoToOurOwnKernels) {
  CudaStream stream;
  run_all(conv({}, {2, 4, 4, 4}, {3, 3, 4, 4}), stream, true);
  EXPECT_TRUE(cuda_on_host::convolution_runs().empty());
  run_all(conv({}, {2, 3, 3, 3}, {3, 3, 3, 5}), stream, true);  // planned for any address
  ASSERT_EQ(cuda_on_host::convolution_runs().size(), 3u);
  EXPECT_EQ(cuda_on_host::convolution_runs()[0].x.alignment, 4);
}

TEST_F(LibraryCalls, DeterministicProductsMeetInTheWorkspaceOnly) {
  const Case c{make_op(Linear{}), {{8, 12}, {12, 4}, {12, 4}}};
  CudaStream free, same({.deterministic = true});
  run_all(c, free);
  for (const ProductRun& run : cuda_on_host::product_runs()) EXPECT_EQ(run.reduction_scheme, 1);  // in the output
  cuda_on_host::clear_library_record();
  run_all(c, same);
  ASSERT_EQ(cuda_on_host::product_runs().size(), 3u);
  for (const ProductRun& run : cuda_on_host::product_runs()) EXPECT_EQ(run.reduction_scheme, 2);
}

TEST_F(LibraryCalls, MisalignedProductsUseAnAlgorithmForThem) {
  CudaStream stream;
  const Case c{make_op(Linear{}), {{8, 12}, {12, 4}, {12, 4}}};
  run_all(c, stream);
  for (const ProductRun& run : cuda_on_host::product_runs()) EXPECT_EQ(run.alignment, 16u);
  cuda_on_host::clear_library_record();
  run_all(c, stream, true);
  ASSERT_EQ(cuda_on_host::product_runs().size(), 3u);
  for (const ProductRun& run : cuda_on_host::product_runs()) EXPECT_EQ(run.alignment, 4u);
}

TEST_F(LibraryCalls, PointwiseKernelsAreProductsAsTheyLie) {
  CudaStream stream;
  run_all(conv({}, {2, 5, 4, 8}, {1, 1, 8, 12}), stream);
  EXPECT_TRUE(cuda_on_host::convolution_runs().empty());
  const std::vector<ProductRun> runs = cuda_on_host::product_runs();
  ASSERT_EQ(runs.size(), 3u);
  // By columns, so transposed: [12, 40] = [12, 8] [8, 40], and so on.
  EXPECT_EQ(std::tuple(runs[0].m, runs[0].n, runs[0].k), std::tuple(12u, 40u, 8u));
  EXPECT_EQ(std::tuple(runs[1].m, runs[1].n, runs[1].k), std::tuple(8u, 40u, 12u));
  EXPECT_EQ(std::tuple(runs[2].m, runs[2].n, runs[2].k), std::tuple(12u, 8u, 40u));
}

// The gradient of x reads the backward weight where it lies.
TEST_F(LibraryCalls, TheInputGradientReadsTheBackwardWeight) {
  CudaStream stream;
  const Shape x{6, 8}, w{8, 4}, y{6, 4};
  const DeviceTensor in(stream, x, random_values(x, 1)), weight(stream, w, random_values(w, 2)),
      backward(stream, w, random_values(w, 3)), dy(stream, y, random_values(y, 4)), dx(stream, x);
  const std::vector<View> views{in.view(), weight.view(), backward.view()};
  const std::vector<Spec> specs{views[0].spec(), views[1].spec(), views[2].spec()};
  const DeviceMemory workspace(stream, Linear{}.backward_workspace_bytes(stream, 0, specs));
  stream.lend_workspace({workspace.data(), static_cast<std::size_t>(workspace.bytes())});
  Linear{}.backward(stream, 0, views, {}, dy.view(), dx.view());
  stream.synchronize();
  ASSERT_EQ(cuda_on_host::product_runs().size(), 1u);
  EXPECT_EQ(cuda_on_host::product_runs()[0].a, backward.view().data());
  EXPECT_EQ(cuda_on_host::product_runs()[0].b, dy.view().data());
}

}  // namespace
}  // namespace chiasm::test

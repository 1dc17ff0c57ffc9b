// SPDX-License-Identifier: Apache-2.0
// Convolutions and products in a CUDA graph: replayed, they read what their inputs hold then.
#include "kernels/convolution/conv2d.h"
#include "kernels/cuda/capture.h"
#include "kernels/linear/linear.h"
#include "tests/kernels/cuda/device_tensor.h"
#include "tests/support/cuda.h"

namespace chiasm::test {
namespace {

void expect_replays(const AnyOp& op, const std::vector<Shape>& shapes, const CudaStreamOptions& options) {
  CudaStream stream(options);
  std::vector<DeviceTensor> in;
  std::vector<Spec> specs;
  std::vector<View> views;
  for (const Shape& shape : shapes) {
    in.emplace_back(stream, shape, random_values(shape, static_cast<unsigned>(in.size())));
    specs.push_back({DType::kFloat32, shape});
    views.emplace_back(in.back().view());
  }
  const Shape out = op.infer(specs)[0].shape;
  const DeviceTensor plain(stream, out),
      captured(stream, out, std::vector<float>(static_cast<std::size_t>(out.elements()), -7.0f));
  const DeviceMemory workspace(stream, op.workspace_bytes(stream, specs));
  stream.lend_workspace({workspace.data(), static_cast<std::size_t>(workspace.bytes())});
  const auto run = [&](const DeviceTensor& to) { op.run(stream, views, std::vector<MutableView>{to.view()}); };

  const CapturedWork work(stream, [&] { run(captured); });
  EXPECT_EQ(captured.values()[0], -7.0f) << "capturing must not run anything";
  for (unsigned seed : {100u, 200u}) {
    const std::vector<float> x = random_values(shapes[0], seed);
    copy_to_device(stream, in[0].view().data(), x.data(), specs[0].bytes());
    stream.synchronize();
    run(plain);
    work.replay(stream);
    EXPECT_EQ(captured.values(), plain.values()) << op.name();
  }
}

TEST(CudaCapture, ReplaysLibraryCalls) {
  CHIASM_NEEDS_CUDA();
  for (const CudaMath math : {CudaMath::kFloat32, CudaMath::kBfloat16}) {
    const CudaStreamOptions options{.deterministic = true, .math = math};
    expect_replays(*make_op(Conv2d{}), {{2, 6, 5, 8}, {3, 3, 8, 8}, {3, 3, 8, 8}}, options);
    expect_replays(*make_op(Conv2d{.stride = {2, 2}}), {{2, 8, 8, 8}, {7, 7, 8, 8}, {7, 7, 8, 8}}, options);
    expect_replays(*make_op(Conv2d{.groups = 8}), {{2, 6, 5, 8}, {3, 3, 1, 8}, {3, 3, 1, 8}}, options);
    expect_replays(*make_op(Linear{}), {{7, 13}, {13, 5}, {13, 5}}, options);
  }
}

}  // namespace
}  // namespace chiasm::test

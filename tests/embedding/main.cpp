// SPDX-License-Identifier: Apache-2.0
// A program outside the repository that uses chiasm as a library: runs one op, and shows that errors arrive as
// exceptions.
#include <engine/any_op.h>
#include <engine/tensor.h>
#include <kernels/cuda/device.h>
#include <kernels/elementwise/map.h>

#include <array>
#include <cstdio>

int main() {
  using namespace chiasm;
  const OpPtr relu = make_op(Map<Relu>{});
  const std::array<float, 4> values{-1.0f, 2.0f, -3.0f, 4.0f};
  const Tensor x = Tensor::of<float>({2, 2}, values);
  Tensor y(relu->infer(std::array{x.spec()})[0]);
  CpuStream stream;
  relu->run(stream, std::array{x.view()}, std::array{y.view()});

  bool refused = false;
  try {
    relu->infer({});
  } catch (const ShapeError&) {
    refused = true;
  }
  const auto result = y.values<float>();
  std::printf("relu: %g %g %g %g\n", result[0], result[1], result[2], result[3]);
  const bool right = result[0] == 0.0f && result[1] == 2.0f && result[2] == 0.0f && result[3] == 4.0f;
  return right && refused && cuda_devices().devices.size() < 1000 ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
// Work waits until somebody waits for it, so that reading too early shows.
#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

using cuda_on_host::pending_work;

TEST(CudaDeferred, NothingRunsBeforeAWait) {
  const Stream stream;
  const OnDevice<int> x(count_up(100));
  int* pinned = nullptr;
  EXPECT_CUDA(cudaMallocHost(&pinned, sizeof(int)));
  *pinned = -5;
  ASSERT_EQ(pending_work(), 0u);
  EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, stream, x.data(), 100, 1, 7));
  EXPECT_CUDA(cudaMemcpyAsync(pinned, x.data(), sizeof(int), cudaMemcpyDeviceToHost, stream));
  EXPECT_EQ(pending_work(), 2u);
  EXPECT_EQ(*pinned, -5) << "read without waiting";
  EXPECT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(*pinned, 7);
  EXPECT_EQ(pending_work(), 0u);
  EXPECT_CUDA(cudaFreeHost(pinned));
}

TEST(CudaDeferred, APinnedSourceIsReadLate) {
  const Stream stream;
  const OnDevice<int> x(std::size_t{1});
  int* pinned = nullptr;
  EXPECT_CUDA(cudaMallocHost(&pinned, sizeof(int)));
  *pinned = 1;
  EXPECT_CUDA(cudaMemcpyAsync(x.data(), pinned, sizeof(int), cudaMemcpyHostToDevice, stream));
  *pinned = 2;  // too early
  EXPECT_EQ(x.values(), std::vector<int>{2});
  EXPECT_CUDA(cudaFreeHost(pinned));
}

TEST(CudaDeferred, RegisteredMemoryIsPinned) {
  const Stream stream;
  const OnDevice<int> x(std::size_t{4});
  std::vector<int> host(4, 1);
  EXPECT_CUDA(cudaHostRegister(host.data(), 16, cudaHostRegisterDefault));
  EXPECT_EQ(cudaHostRegister(host.data() + 1, 4, cudaHostRegisterDefault), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_CUDA(cudaMemcpyAsync(x.data(), host.data(), 16, cudaMemcpyHostToDevice, stream));
  host[0] = 2;
  EXPECT_EQ(x.values(), (std::vector<int>{2, 1, 1, 1}));
  EXPECT_CUDA(cudaHostUnregister(host.data()));
  EXPECT_EQ(cudaHostUnregister(host.data()), cudaErrorHostMemoryNotRegistered);
  cudaGetLastError();
}

// The memory of an argument list must live on; that of an array that an argument points to is the caller's.
TEST(CudaDeferred, AFreeWaitsForTheWorkBeforeIt) {
  const Stream stream;
  const OnDevice<int> y(std::size_t{100});
  {
    const OnDevice<int> x(count_up(100));
    EXPECT_CUDA(launch(add_to, 1, 128, 0, stream, x.data(), y.data(), 100, 1));
  }
  EXPECT_EQ(pending_work(), 0u);
  EXPECT_EQ(y.values(), count_up(100, 1));
}

TEST(CudaDeferred, AWaitForOneStreamLeavesOthersAloneOrRunsThemFirst) {
  const cuda_on_host::Order before = cuda_on_host::order();
  cuda_on_host::set_order({.kind = cuda_on_host::OrderKind::kForward});
  const Stream first, second;
  const OnDevice<int> x(count_up(10)), y(count_up(10));
  EXPECT_CUDA(launch(scale_and_add, 1, 32, 0, first, x.data(), 10, 1, 1));
  EXPECT_CUDA(launch(scale_and_add, 1, 32, 0, second, y.data(), 10, 1, 1));
  EXPECT_CUDA(cudaStreamSynchronize(first));
  EXPECT_EQ(pending_work(), 1u);
  EXPECT_CUDA(cudaDeviceSynchronize());
  cuda_on_host::set_order({.kind = cuda_on_host::OrderKind::kReverse});
  EXPECT_CUDA(launch(scale_and_add, 1, 32, 0, first, x.data(), 10, 1, 1));
  EXPECT_CUDA(launch(scale_and_add, 1, 32, 0, second, y.data(), 10, 1, 1));
  EXPECT_CUDA(cudaStreamSynchronize(first));
  EXPECT_EQ(pending_work(), 0u);
  cuda_on_host::set_order(before);
}

TEST(CudaDeferred, AHostThatNeverWaitsDoesNotFillTheMemory) {
  const Stream stream;
  const OnDevice<int> x(std::vector<int>{0});
  for (int i = 0; i < 10000; ++i) EXPECT_CUDA(launch(scale_and_add, 1, 1, 0, stream, x.data(), 1, 1, 1));
  EXPECT_LT(pending_work(), 5000u);
  EXPECT_EQ(x.values(), std::vector<int>{10000});
}

TEST(CudaDeferred, WorkOfALibraryTakesItsTurn) {
  const Stream stream;
  const OnDevice<int> x(std::vector<int>{3});
  int* const data = x.data();
  EXPECT_CUDA(launch(scale_and_add, 1, 1, 0, stream, data, 1, 1, 1));
  EXPECT_CUDA(cuda_on_host::enqueue(stream, "a library", [data] {
    *data *= 10;
    return std::string();
  }));
  EXPECT_CUDA(launch(scale_and_add, 1, 1, 0, stream, data, 1, 1, 2));
  EXPECT_EQ(x.values(), std::vector<int>{42});

  EXPECT_CUDA(cuda_on_host::enqueue(stream, "a library", [] { return std::string("does not work"); }));
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorLaunchFailure);
  EXPECT_STREQ(cudaGetErrorString(cudaErrorLaunchFailure), "unspecified launch failure: a library: does not work");
  cuda_on_host::clear_failure();
}

TEST(CudaDeferred, DeviceWorkCannotCallTheRuntime) {
  const Stream stream;
  static cudaError_t found;
  found = cudaSuccess;
  EXPECT_CUDA(cudaLaunchHostFunc(
      stream, [](void*) { found = cudaDeviceSynchronize(); }, nullptr));
  EXPECT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(found, cudaErrorNotPermitted);
  cudaGetLastError();
}

}  // namespace
}  // namespace chiasm::test

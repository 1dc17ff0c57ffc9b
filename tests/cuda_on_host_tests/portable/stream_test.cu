// SPDX-License-Identifier: Apache-2.0
// Streams and events.
#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

TEST(CudaStreams, WorkOfAStreamRunsInOrder) {
  const Stream stream;
  const OnDevice<int> x(count_up(1000));
  for (int step = 0; step < 20; ++step) {
    EXPECT_CUDA(launch(scale_and_add, 4, 256, 0, stream, x.data(), 1000, step % 2 == 0 ? 2 : -1, step));
  }
  EXPECT_CUDA(cudaStreamSynchronize(stream));
  std::vector<int> expected = count_up(1000);
  for (int& value : expected) {
    for (int step = 0; step < 20; ++step) value = value * (step % 2 == 0 ? 2 : -1) + step;
  }
  EXPECT_EQ(x.values(), expected);
}

TEST(CudaStreams, AnEventOrdersTwoStreams) {
  const Stream first, second;
  const Event ready, done;
  const OnDevice<int> x(count_up(1000)), y(std::size_t{1000});
  std::vector<int> expected = count_up(1000);
  for (int round = 0; round < 10; ++round) {
    EXPECT_CUDA(launch(scale_and_add, 4, 256, 0, first, x.data(), 1000, 1, 1));
    EXPECT_CUDA(cudaEventRecord(ready, first));
    EXPECT_CUDA(cudaStreamWaitEvent(second, ready));
    EXPECT_CUDA(launch(add_to, 4, 256, 0, second, x.data(), y.data(), 1000, round));
    EXPECT_CUDA(cudaEventRecord(done, second));
    EXPECT_CUDA(cudaStreamWaitEvent(first, done));
    EXPECT_CUDA(launch(add_to, 4, 256, 0, first, y.data(), x.data(), 1000, 0));
    for (int& value : expected) value += 1 + round;
  }
  EXPECT_CUDA(cudaStreamSynchronize(first));
  EXPECT_EQ(x.values(), expected);
}

TEST(CudaStreams, AWaitTakesTheRecordBeforeIt) {
  const Stream first, second;
  const Event event;
  const OnDevice<int> x(count_up(10)), y(std::size_t{10});
  // Never recorded: no wait at all.
  EXPECT_CUDA(cudaStreamWaitEvent(second, event));
  EXPECT_CUDA(cudaEventSynchronize(event));
  EXPECT_CUDA(cudaEventQuery(event));
  EXPECT_CUDA(launch(scale_and_add, 1, 32, 0, first, x.data(), 10, 1, 1));
  EXPECT_CUDA(cudaEventRecord(event, first));
  EXPECT_CUDA(cudaStreamWaitEvent(second, event));
  EXPECT_CUDA(cudaEventRecord(event, second));  // moves the event, not the wait
  EXPECT_CUDA(launch(add_to, 1, 32, 0, second, x.data(), y.data(), 10, 0));
  EXPECT_EQ(y.values(), count_up(10, 1));
}

TEST(CudaStreams, TheDefaultStreamWaitsForBlockingStreamsAndTheyForIt) {
  const Stream blocking(cudaStreamDefault);
  const OnDevice<int> x(count_up(100)), y(std::size_t{100});
  EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, blocking, x.data(), 100, 1, 1));
  EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, nullptr, x.data(), 100, 2, 0));
  EXPECT_CUDA(launch(add_to, 1, 128, 0, blocking, x.data(), y.data(), 100, 1));
  EXPECT_CUDA(cudaStreamSynchronize(blocking));
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) expected.push_back((i + 1) * 2 + 1);
  EXPECT_EQ(y.values(), expected);
}

TEST(CudaStreams, QueriesEndAtLast) {
  const Stream stream;
  const Event event;
  const OnDevice<int> x(count_up(100));
  for (int i = 0; i < 5; ++i) EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, stream, x.data(), 100, 1, 1));
  EXPECT_CUDA(cudaEventRecord(event, stream));
  EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, stream, x.data(), 100, 1, 1));
  cudaError_t found;
  while ((found = cudaEventQuery(event)) == cudaErrorNotReady) cudaGetLastError();
  EXPECT_EQ(found, cudaSuccess);
  while ((found = cudaStreamQuery(stream)) == cudaErrorNotReady) cudaGetLastError();
  EXPECT_EQ(found, cudaSuccess);
  EXPECT_EQ(x.values(), count_up(100, 6));
}

TEST(CudaStreams, EventsMeasureTime) {
  const Stream stream;
  const Event start(cudaEventDefault), end(cudaEventDefault), untimed;
  const OnDevice<int> x(count_up(100));
  EXPECT_CUDA(cudaEventRecord(start, stream));
  EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, stream, x.data(), 100, 1, 1));
  EXPECT_CUDA(cudaEventRecord(end, stream));
  EXPECT_CUDA(cudaEventRecord(untimed, stream));
  EXPECT_CUDA(cudaEventSynchronize(end));
  float milliseconds = -1;
  EXPECT_CUDA(cudaEventElapsedTime(&milliseconds, start, end));
  EXPECT_GE(milliseconds, 0);
  EXPECT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, untimed), cudaErrorInvalidResourceHandle);
  cudaGetLastError();
}

TEST(CudaStreams, WorkOutlivesItsStream) {
  const OnDevice<int> x(count_up(100));
  {
    const Stream stream;
    EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, stream, x.data(), 100, 1, 1));
  }
  EXPECT_EQ(x.values(), count_up(100, 1));
}

TEST(CudaStreams, HostFunctionsTakeTheirTurn) {
  const Stream stream;
  int* pinned = nullptr;
  EXPECT_CUDA(cudaMallocHost(&pinned, sizeof(int)));
  *pinned = 1;
  const OnDevice<int> x(std::vector<int>{5});
  EXPECT_CUDA(cudaMemcpyAsync(pinned, x.data(), 4, cudaMemcpyDeviceToHost, stream));
  EXPECT_CUDA(cudaLaunchHostFunc(
      stream, [](void* address) { *static_cast<int*>(address) *= 7; }, pinned));
  EXPECT_CUDA(cudaMemcpyAsync(x.data(), pinned, 4, cudaMemcpyHostToDevice, stream));
  EXPECT_EQ(x.values(), std::vector<int>{35});
  EXPECT_CUDA(cudaFreeHost(pinned));
}

}  // namespace
}  // namespace chiasm::test

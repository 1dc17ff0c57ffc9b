// SPDX-License-Identifier: Apache-2.0
// Capture, replay, and what capture forbids.
#include <thread>

#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

constexpr int kCount = 300;

cudaError_t scale(cudaStream_t stream, const OnDevice<int>& x, int factor, int term) {
  return launch(scale_and_add, 3, 128, 0, stream, x.data(), kCount, factor, term);
}
cudaError_t add(cudaStream_t stream, const OnDevice<int>& x, const OnDevice<int>& y, int term) {
  return launch(add_to, 3, 128, 0, stream, x.data(), y.data(), kCount, term);
}

std::size_t node_count(cudaGraph_t graph) {
  std::size_t count = 0;
  EXPECT_CUDA(cudaGraphGetNodes(graph, nullptr, &count));
  return count;
}

cudaStreamCaptureStatus status_of(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  EXPECT_CUDA(cudaStreamIsCapturing(stream, &status));
  return status;
}

__global__ void sum_of_two(const int* a, const int* b, int* out, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) out[i] = a[i] + b[i];
}

TEST(CudaGraphs, ACaptureOfTwoBranchesReplays) {
  const Stream main, branch;
  const Event fork, join;
  const OnDevice<int> x(count_up(kCount)), a(std::size_t{kCount}), b(std::size_t{kCount});
  EXPECT_CUDA(cudaStreamBeginCapture(main, cudaStreamCaptureModeThreadLocal));
  EXPECT_CUDA(cudaMemsetAsync(a.data(), 0, a.bytes(), main));
  EXPECT_CUDA(scale(main, x, 2, 1));
  EXPECT_CUDA(cudaEventRecord(fork, main));
  EXPECT_EQ(status_of(branch), cudaStreamCaptureStatusNone);
  EXPECT_CUDA(cudaStreamWaitEvent(branch, fork));
  EXPECT_EQ(status_of(branch), cudaStreamCaptureStatusActive);
  EXPECT_CUDA(add(branch, x, b, 10));
  EXPECT_CUDA(add(main, x, a, 100));
  EXPECT_CUDA(cudaEventRecord(join, branch));
  EXPECT_CUDA(cudaStreamWaitEvent(main, join));
  EXPECT_CUDA(launch(sum_of_two, 3, 128, 0, main, a.data(), b.data(), x.data(), kCount));
  EXPECT_CUDA(cudaMemcpyAsync(a.data(), x.data(), x.bytes(), cudaMemcpyDeviceToDevice, main));
  EXPECT_EQ(status_of(main), cudaStreamCaptureStatusActive);
  cudaGraph_t graph = nullptr;
  EXPECT_CUDA(cudaStreamEndCapture(main, &graph));
  EXPECT_EQ(status_of(main), cudaStreamCaptureStatusNone);
  EXPECT_EQ(status_of(branch), cudaStreamCaptureStatusNone);
  EXPECT_EQ(node_count(graph), 6u);
  EXPECT_EQ(x.values(), count_up(kCount)) << "capture runs nothing";

  cudaGraphExec_t executable = nullptr;
  EXPECT_CUDA(cudaGraphInstantiate(&executable, graph, 0));
  EXPECT_CUDA(cudaGraphDestroy(graph));
  std::vector<int> expected = count_up(kCount);
  for (int replay = 0; replay < 4; ++replay) {
    EXPECT_CUDA(cudaGraphLaunch(executable, main));
    for (int& value : expected) value = 2 * (2 * value + 1) + 110;
  }
  EXPECT_EQ(x.values(), expected);
  EXPECT_EQ(a.values(), expected);
  EXPECT_CUDA(cudaGraphExecDestroy(executable));
}

TEST(CudaGraphs, AnEmptyCaptureIsAnEmptyGraph) {
  const Stream stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  EXPECT_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  EXPECT_CUDA(cudaStreamEndCapture(stream, &graph));
  EXPECT_EQ(node_count(graph), 0u);
  EXPECT_CUDA(cudaGraphInstantiate(&executable, graph, 0));
  EXPECT_CUDA(cudaGraphLaunch(executable, stream));
  EXPECT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_CUDA(cudaGraphExecDestroy(executable));
  EXPECT_CUDA(cudaGraphDestroy(graph));
}

TEST(CudaGraphs, OtherStreamsGoOnDuringACapture) {
  const Stream captured, other;
  const OnDevice<int> x(count_up(kCount));
  int* pinned = nullptr;
  EXPECT_CUDA(cudaMallocHost(&pinned, sizeof(int)));
  cudaGraph_t graph = nullptr;
  EXPECT_CUDA(cudaStreamBeginCapture(captured, cudaStreamCaptureModeThreadLocal));
  EXPECT_CUDA(scale(other, x, 1, 7));
  EXPECT_CUDA(cudaMemcpyAsync(pinned, x.data(), 4, cudaMemcpyDeviceToHost, other));
  EXPECT_CUDA(cudaStreamSynchronize(other));
  EXPECT_EQ(*pinned, 7);
  EXPECT_CUDA(cudaStreamEndCapture(captured, &graph));
  EXPECT_EQ(node_count(graph), 0u);
  EXPECT_CUDA(cudaGraphDestroy(graph));
  EXPECT_CUDA(cudaFreeHost(pinned));
}

// Begins a capture, runs `mistake`, and expects its error and a capture that cannot be ended well.
template <class Mistake>
void expect_spoilt(cudaError_t expected, Mistake mistake, unsigned flags = cudaStreamNonBlocking) {
  const Stream stream(flags);
  EXPECT_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  EXPECT_EQ(mistake(static_cast<cudaStream_t>(stream)), expected);
  EXPECT_EQ(status_of(stream), cudaStreamCaptureStatusInvalidated);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(graph, nullptr);
  EXPECT_EQ(status_of(stream), cudaStreamCaptureStatusNone);
  cudaGetLastError();
  EXPECT_CUDA(cudaStreamSynchronize(stream));
}

TEST(CudaGraphs, ACaptureForbidsWaiting) {
  expect_spoilt(cudaErrorStreamCaptureUnsupported, [](cudaStream_t stream) { return cudaStreamSynchronize(stream); });
  expect_spoilt(cudaErrorStreamCaptureUnsupported, [](cudaStream_t stream) { return cudaStreamQuery(stream); });
  expect_spoilt(cudaErrorStreamCaptureUnsupported, [](cudaStream_t) { return cudaDeviceSynchronize(); });
}

TEST(CudaGraphs, ACaptureForbidsAllocation) {
  expect_spoilt(cudaErrorStreamCaptureUnsupported, [](cudaStream_t) {
    void* address = nullptr;
    return cudaMalloc(&address, 100);
  });
}

TEST(CudaGraphs, ACaptureOfABlockingStreamForbidsTheDefaultStream) {
  const OnDevice<int> x(count_up(kCount));
  expect_spoilt(
      cudaErrorStreamCaptureImplicit, [&](cudaStream_t) { return scale(nullptr, x, 2, 0); }, cudaStreamDefault);
}

TEST(CudaGraphs, ACapturedEventCannotBeWaitedForByTheHost) {
  const Event event;
  expect_spoilt(cudaErrorCapturedEvent, [&](cudaStream_t stream) {
    EXPECT_CUDA(cudaEventRecord(event, stream));
    return cudaEventSynchronize(event);
  });
}

TEST(CudaGraphs, ACaptureCannotDependOnWorkOutsideOfIt) {
  const Stream other;
  const Event event;
  const OnDevice<int> x(count_up(kCount));
  EXPECT_CUDA(scale(other, x, 1, 1));
  EXPECT_CUDA(cudaEventRecord(event, other));
  expect_spoilt(cudaErrorStreamCaptureIsolation,
                [&](cudaStream_t stream) { return cudaStreamWaitEvent(stream, event); });
  EXPECT_EQ(x.values(), count_up(kCount, 1));
}

TEST(CudaGraphs, ABranchHasToBeJoined) {
  const Stream main, branch;
  const Event fork;
  const OnDevice<int> x(count_up(kCount));
  cudaGraph_t graph = nullptr;
  EXPECT_CUDA(cudaStreamBeginCapture(main, cudaStreamCaptureModeThreadLocal));
  EXPECT_CUDA(scale(main, x, 1, 1));
  EXPECT_CUDA(cudaEventRecord(fork, main));
  EXPECT_CUDA(cudaStreamWaitEvent(branch, fork));
  EXPECT_CUDA(scale(branch, x, 1, 1));
  EXPECT_EQ(cudaStreamEndCapture(main, &graph), cudaErrorStreamCaptureUnjoined);
  EXPECT_EQ(status_of(branch), cudaStreamCaptureStatusNone);
  cudaGetLastError();
  EXPECT_EQ(x.values(), count_up(kCount)) << "nothing ran";
}

TEST(CudaGraphs, TheStreamThatBeganEnds) {
  const Stream main, branch;
  const Event fork;
  cudaGraph_t graph = nullptr;
  EXPECT_NE(cudaStreamEndCapture(main, &graph), cudaSuccess);
  cudaGetLastError();
  EXPECT_CUDA(cudaStreamBeginCapture(main, cudaStreamCaptureModeThreadLocal));
  EXPECT_EQ(cudaStreamBeginCapture(main, cudaStreamCaptureModeThreadLocal), cudaErrorIllegalState);
  EXPECT_CUDA(cudaEventRecord(fork, main));
  EXPECT_CUDA(cudaStreamWaitEvent(branch, fork));
  EXPECT_EQ(cudaStreamEndCapture(branch, &graph), cudaErrorStreamCaptureUnmatched);
  cudaStreamEndCapture(main, &graph);
  if (graph != nullptr) cudaGraphDestroy(graph);
  cudaGetLastError();
  EXPECT_EQ(status_of(main), cudaStreamCaptureStatusNone);
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeThreadLocal), cudaErrorStreamCaptureUnsupported);
  cudaGetLastError();
}

TEST(CudaGraphs, TheThreadThatBeganEnds) {
  const Stream stream;
  EXPECT_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  std::thread([&] {
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureWrongThread);
    void* address = nullptr;
    EXPECT_CUDA(cudaMalloc(&address, 16));  // another thread may, in this mode
    EXPECT_CUDA(cudaFree(address));
  }).join();
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(stream, &graph);
  if (graph != nullptr) cudaGraphDestroy(graph);
  cudaGetLastError();
}

TEST(CudaGraphs, CapturesDoNotMerge) {
  const Stream first, second;
  const Event event;
  cudaGraph_t graph = nullptr;
  EXPECT_CUDA(cudaStreamBeginCapture(first, cudaStreamCaptureModeThreadLocal));
  EXPECT_CUDA(cudaStreamBeginCapture(second, cudaStreamCaptureModeThreadLocal));
  EXPECT_CUDA(cudaEventRecord(event, first));
  EXPECT_EQ(cudaStreamWaitEvent(second, event), cudaErrorStreamCaptureMerge);
  EXPECT_EQ(cudaStreamEndCapture(second, &graph), cudaErrorStreamCaptureInvalidated);
  cudaStreamEndCapture(first, &graph);
  if (graph != nullptr) cudaGraphDestroy(graph);
  cudaGetLastError();
}

}  // namespace
}  // namespace chiasm::test

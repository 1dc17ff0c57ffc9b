// SPDX-License-Identifier: Apache-2.0
// Kernels that never end on a device, or stop it, are errors that say who waits where.
#include <gmock/gmock.h>

#include <stdexcept>

#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

__global__ void nothing() {}

// The text of the error of `kernel`, which every call reports until the device is reset.
template <class... Parameters, class... Arguments>
std::string failure_of(void (*kernel)(Parameters...), unsigned threads, Arguments... arguments) {
  EXPECT_CUDA(launch(kernel, 2, threads, 0, nullptr, arguments...));  // says nothing yet
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  std::string text = cudaGetErrorString(cudaErrorLaunchFailure);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  void* address = nullptr;
  EXPECT_EQ(cudaMalloc(&address, 10), cudaErrorLaunchFailure);
  EXPECT_EQ(launch(nothing, 1, 1, 0, nullptr), cudaErrorLaunchFailure);
  cuda_on_host::clear_failure();
  cudaGetLastError();
  EXPECT_CUDA(launch(nothing, 1, 64, 0, nullptr));
  EXPECT_CUDA(cudaDeviceSynchronize());
  return text;
}

__global__ void wait_for_nobody() {
  if (threadIdx.x < 40) {
    __syncthreads();
  } else {
    __syncwarp(0xffffffffu);
  }
}

TEST(CudaFailures, ADeadlockNamesItsThreadsAndLines) {
  EXPECT_THAT(
      failure_of(wait_for_nobody, 64),
      AllOf(HasSubstr("unspecified launch failure: "), HasSubstr("wait_for_nobody"), HasSubstr("block ("),
            HasSubstr("deadlock"), ContainsRegex("threads 0-39 wait at __syncthreads \\(failure_test.cu:[0-9]+"),
            ContainsRegex("threads 40-63 wait at __syncwarp with mask 0xffffffff \\(failure_test.cu:[0-9]+")));
}

__global__ void shuffle_with_absent_lanes(int* x) {
  if (threadIdx.x % 32 < 8) *x += __shfl_down_sync(0xffffffffu, 1, 4);
  __syncthreads();
}

TEST(CudaFailures, AShuffleWhoseLanesNeverComeIsADeadlock) {
  static int on_host = 0;  // a kernel may use any memory here
  EXPECT_THAT(failure_of(shuffle_with_absent_lanes, 64, &on_host),
              AllOf(HasSubstr("threads 0-7, 32-39 wait at __shfl_down_sync with mask 0xffffffff"),
                    HasSubstr("threads 8-31, 40-63 wait at __syncthreads")));
}

__global__ void different_barriers() {
  if (threadIdx.x % 2 == 0) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

TEST(CudaFailures, BarriersInDifferentPlacesAreNotOneBarrier) {
  EXPECT_THAT(failure_of(different_barriers, 4), HasSubstr("threads wait at different barriers: threads 0, 2 wait at"));
}

__global__ void mask_without_self() { __shfl_sync(0x0000fffeu, 1, 3); }

TEST(CudaFailures, AMaskNamesItsOwnLane) {
  EXPECT_THAT(failure_of(mask_without_self, 16),
              HasSubstr("thread 0 calls __shfl_sync with mask 0x0000fffe, which does not name its own lane"));
}

__global__ void odd_width() { __shfl_sync(0xffffffffu, 1, 0, 12); }

TEST(CudaFailures, AWidthIsAPowerOfTwo) { EXPECT_THAT(failure_of(odd_width, 32), HasSubstr("power of two")); }

__global__ void trap(int thread) {
  __syncthreads();
  if (static_cast<int>(threadIdx.x) == thread) __trap();
}

TEST(CudaFailures, Trap) { EXPECT_THAT(failure_of(trap, 70, 33), HasSubstr("thread 33: __trap()")); }

__global__ void throwing(int thread) {
  __syncthreads();
  if (static_cast<int>(threadIdx.x) == thread) throw std::runtime_error("no such thing on a device");
  __syncthreads();
}

TEST(CudaFailures, AnExceptionDoesNotLeaveAKernel) {
  EXPECT_THAT(failure_of(throwing, 70, 33), HasSubstr("a C++ exception left the kernel: no such thing on a device"));
}

__global__ void set(int* x, int value) { *x = value; }

TEST(CudaFailures, NothingRunsAfterAFailure) {
  const OnDevice<int> x(std::vector<int>{1});
  EXPECT_CUDA(launch(trap, 1, 1, 0, nullptr, 0));
  EXPECT_CUDA(launch(set, 1, 1, 0, nullptr, x.data(), 2));
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaErrorLaunchFailure);
  EXPECT_EQ(cuda_on_host::pending_work(), 0u);
  EXPECT_CUDA(cudaDeviceReset());
  EXPECT_EQ(x.values(), std::vector<int>{1});
}

TEST(CudaFailures, AKernelOfAGraphFailsAtTheWait) {
  const Stream stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  EXPECT_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  EXPECT_CUDA(launch(trap, 1, 8, 0, stream, 5));
  EXPECT_CUDA(cudaStreamEndCapture(stream, &graph));
  EXPECT_CUDA(cudaGraphInstantiate(&executable, graph, 0));
  EXPECT_CUDA(cudaGraphLaunch(executable, stream));
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorLaunchFailure);
  EXPECT_THAT(cudaGetErrorString(cudaErrorLaunchFailure), AllOf(HasSubstr("trap"), HasSubstr("thread 5")));
  cuda_on_host::clear_failure();
  EXPECT_CUDA(cudaGraphExecDestroy(executable));
  EXPECT_CUDA(cudaGraphDestroy(graph));
}

TEST(CudaFailures, KernelsHaveNames) {
  const char* name = nullptr;
  EXPECT_CUDA(cudaFuncGetName(&name, reinterpret_cast<const void*>(&trap)));
  EXPECT_STREQ(name, "chiasm::test::(anonymous namespace)::trap");
}

__global__ void read_lane_outside(unsigned* out) {
  // Lanes 8 to 31 of the last warp do not exist: what they would give is undefined.
  const unsigned value = __shfl_sync(0xffffffffu, 5u, 20);
  if (threadIdx.x == 0) *out = value;
}

TEST(CudaFailures, ALaneThatTakesNoPartGivesNoUsefulValue) {
  const OnDevice<unsigned> out(std::size_t{1});
  EXPECT_CUDA(launch(read_lane_outside, 1, 8, 0, nullptr, out.data()));
  EXPECT_EQ(out.values()[0], 0xffffffffu);
}

__global__ void copy_shared(unsigned* out, int count) {
  const auto* shared = static_cast<const unsigned*>(cuda_on_host::dynamic_shared());
  for (int i = 0; i < count; ++i) out[i] = shared[i];
  for (int i = 0; i < count; ++i) static_cast<unsigned*>(cuda_on_host::dynamic_shared())[i] = 0;
}

TEST(CudaFailures, SharedMemoryStartsAsNanInEveryBlock) {
  const OnDevice<unsigned> out(std::size_t{3});
  EXPECT_CUDA(launch(copy_shared, 5, 1, 12, nullptr, out.data(), 3));
  EXPECT_EQ(out.values(), std::vector<unsigned>(3, 0xffffffffu));
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// What AddressSanitizer finds in device code and around it.
#include "tests/cuda_on_host_tests/support.cuh"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>

namespace chiasm::test {
namespace {

__global__ void write_at(int* x, int index) {
  __syncthreads();
  if (threadIdx.x == 0) x[index] = 1;
}

__global__ void write_shared_at(int index) {
  static_cast<char*>(cuda_on_host::dynamic_shared())[index] = 1;
  __syncthreads();
}

class CudaSanitizer : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(CudaSanitizer, HostCodeMayNotTouchDeviceMemory) {
  const OnDevice<int> x(count_up(10));
  volatile int* data = x.data();
  EXPECT_DEATH(data[3] = 1, "use-after-poison");
  EXPECT_DEATH((void)data[3], "use-after-poison");
  EXPECT_CUDA(launch(scale_and_add, 1, 32, 0, nullptr, x.data(), 10, 1, 1));
  EXPECT_CUDA(cudaDeviceSynchronize());
  EXPECT_DEATH((void)data[3], "use-after-poison");
  EXPECT_EQ(x.values(), count_up(10, 1));
}

TEST_F(CudaSanitizer, KernelsStayInTheirAllocation) {
  const OnDevice<int> x(count_up(10));
  EXPECT_CUDA(launch(write_at, 1, 64, 0, nullptr, x.data(), 9));
  EXPECT_CUDA(cudaDeviceSynchronize());
  EXPECT_CUDA(launch(write_at, 1, 64, 0, nullptr, x.data(), 10));
  EXPECT_DEATH(cudaDeviceSynchronize(), "heap-buffer-overflow");
  cuda_on_host::clear_failure();  // the kernel that would stop this process as well
}

TEST_F(CudaSanitizer, SharedMemoryIsAsLargeAsAskedFor) {
  EXPECT_CUDA(launch(write_shared_at, 1, 64, 100, nullptr, 99));
  EXPECT_CUDA(cudaDeviceSynchronize());
  EXPECT_CUDA(launch(write_shared_at, 1, 64, 100, nullptr, 100));
  EXPECT_DEATH(cudaDeviceSynchronize(), "heap-buffer-overflow");
  cuda_on_host::clear_failure();
}

TEST_F(CudaSanitizer, FreedMemoryIsNotUsed) {
  int* address = nullptr;
  EXPECT_CUDA(cudaMalloc(&address, 40));
  EXPECT_CUDA(cudaFree(address));
  EXPECT_CUDA(launch(write_at, 1, 64, 0, nullptr, address, 0));
  EXPECT_DEATH(cudaDeviceSynchronize(), "heap-use-after-free");
  cuda_on_host::clear_failure();
}

__global__ void large_frames(int* out) {
  int local[200];
  for (int i = 0; i < 200; ++i) local[i] = i;
  __syncthreads();
  for (int i = 0; i < 200; ++i) local[i] += local[(i + static_cast<int>(threadIdx.x)) % 200];
  __syncthreads();
  out[threadIdx.x] = local[10];
}

// The stacks of fibers that were left in the middle, and of those that are used again, raise no false alarm.
TEST_F(CudaSanitizer, StacksOfFibersAreUsedAgain) {
  const OnDevice<int> out(std::size_t{1024});
  for (int round = 0; round < 3; ++round) {
    EXPECT_CUDA(launch(large_frames, 2, 1024, 0, nullptr, out.data()));
    EXPECT_EQ(out.values()[5], 25);
    EXPECT_CUDA(launch(
        +[](int* x) {
          int local[64] = {};
          local[threadIdx.x] = *x;
          if (threadIdx.x < 32) __syncthreads();
          if (threadIdx.x >= 32) __syncwarp(0xffffffffu);
          if (threadIdx.x < 32) __trap();
          __syncthreads();
          *x = local[threadIdx.x];
        },
        1, 64, 0, nullptr, out.data()));
    EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
    cuda_on_host::clear_failure();
    cudaGetLastError();
  }
}

}  // namespace
}  // namespace chiasm::test
#endif

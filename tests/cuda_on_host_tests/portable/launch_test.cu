// SPDX-License-Identifier: Apache-2.0
// What a launch accepts and what it copies.
#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

__global__ void nothing() {}
__global__ void nothing_with_shared() {}

struct Parameters {
  int values[100];
};
__global__ void take(Parameters parameters, int* out) {
  const int i = static_cast<int>(threadIdx.x);
  out[i] = parameters.values[i];
}

// A refused launch is reported once and leaves the device usable.
void expect_refused(cudaError_t found, cudaError_t expected) {
  EXPECT_EQ(found, expected);
  EXPECT_EQ(cudaPeekAtLastError(), expected);
  EXPECT_EQ(cudaGetLastError(), expected);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_CUDA(launch(nothing, 1, 1, 0, nullptr));
  EXPECT_CUDA(cudaDeviceSynchronize());
}

TEST(CudaLaunch, SizesBeyondTheLimitsAreRefused) {
  for (dim3 block : {dim3(1025), dim3(1, 1, 65), dim3(32, 33), dim3(0), dim3(1, 0)}) {
    expect_refused(launch(nothing, 1, block, 0, nullptr), cudaErrorInvalidConfiguration);
  }
  for (dim3 grid : {dim3(1, 65536), dim3(1, 1, 65536), dim3(0), dim3(1, 1, 0)}) {
    expect_refused(launch(nothing, grid, 1, 0, nullptr), cudaErrorInvalidConfiguration);
  }
  EXPECT_CUDA(launch(nothing, 1, 1024, 0, nullptr));
  EXPECT_CUDA(launch(nothing, dim3(1, 1, 65535), 1, 0, nullptr));
}

TEST(CudaLaunch, MuchSharedMemoryIsAskedForFirst) {
  EXPECT_CUDA(launch(nothing_with_shared, 1, 1, 48 << 10, nullptr));
  expect_refused(launch(nothing_with_shared, 1, 1, (48 << 10) + 4, nullptr), cudaErrorInvalidValue);
  int most = 0;
  EXPECT_CUDA(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  EXPECT_EQ(cudaFuncSetAttribute(nothing_with_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, most + 1),
            cudaErrorInvalidValue);
  cudaGetLastError();
  EXPECT_CUDA(cudaFuncSetAttribute(nothing_with_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, most));
  EXPECT_CUDA(launch(nothing_with_shared, 1, 1, static_cast<std::size_t>(most), nullptr));
  expect_refused(launch(nothing_with_shared, 1, 1, static_cast<std::size_t>(most) + 4, nullptr), cudaErrorInvalidValue);
  cudaFuncAttributes attributes{};
  EXPECT_CUDA(cudaFuncGetAttributes(&attributes, nothing_with_shared));
  EXPECT_EQ(attributes.maxDynamicSharedSizeBytes, most);
  EXPECT_EQ(attributes.maxThreadsPerBlock, 1024);
}

TEST(CudaLaunch, ArgumentsAreCopied) {
  const OnDevice<int> out(std::size_t{100});
  Parameters parameters{};
  for (int i = 0; i < 100; ++i) parameters.values[i] = i * i;
  EXPECT_CUDA(launch(take, 1, 100, 0, nullptr, parameters, out.data()));
  for (int& value : parameters.values) value = -1;
  const std::vector<int> found = out.values();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(found[static_cast<std::size_t>(i)], i * i);
}

TEST(CudaLaunch, OccupancyFallsWithThreadsAndSharedMemory) {
  int few = 0, many = 0, shared = 0, too_much = 0;
  EXPECT_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&few, nothing, 64, 0));
  EXPECT_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&many, nothing, 1024, 0));
  EXPECT_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&shared, nothing, 64, 40 << 10));
  EXPECT_GE(few, 16);
  EXPECT_GE(many, 1);
  EXPECT_LE(many, 2);
  EXPECT_LT(shared, few);
  EXPECT_GE(shared, 1);
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&too_much, nothing, 1025, 0);
  EXPECT_EQ(too_much, 0);
  cudaGetLastError();
}

TEST(CudaLaunch, ErrorsHaveNames) {
  EXPECT_STREQ(cudaGetErrorName(cudaErrorInvalidValue), "cudaErrorInvalidValue");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
  EXPECT_STREQ(cudaGetErrorString(cudaSuccess), "no error");
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// Copies are checked against the allocations, and allocations are counted.
#include <gmock/gmock.h>

#include <thread>

#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

using testing::HasSubstr;

// The call is refused as an invalid argument, for a reason that contains `why`.
void expect_invalid(cudaError_t found, const char* why) {
  EXPECT_EQ(found, cudaErrorInvalidValue);
  EXPECT_THAT(cudaGetErrorString(cudaErrorInvalidValue), HasSubstr(why));
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
}

TEST(CudaMemoryChecks, TheDirectionFitsTheAddresses) {
  const OnDevice<int> x(std::size_t{10}), y(std::size_t{10});
  std::vector<int> host(10);
  int* pinned = nullptr;
  EXPECT_CUDA(cudaMallocHost(&pinned, 40));
  for (int* on_host : {host.data(), pinned}) {
    expect_invalid(cudaMemcpy(on_host, x.data(), 40, cudaMemcpyHostToDevice), "is not device memory");
    expect_invalid(cudaMemcpy(x.data(), on_host, 40, cudaMemcpyDeviceToHost), "is not host memory");
    expect_invalid(cudaMemcpy(x.data(), on_host, 40, cudaMemcpyDeviceToDevice), "source");
    expect_invalid(cudaMemcpy(on_host, x.data(), 40, cudaMemcpyDeviceToDevice), "destination");
    expect_invalid(cudaMemcpyAsync(x.data(), y.data(), 40, cudaMemcpyHostToDevice, nullptr), "source");
    expect_invalid(cudaMemcpyAsync(x.data(), y.data(), 40, cudaMemcpyDeviceToHost, nullptr), "destination");
  }
  expect_invalid(cudaMemset(host.data(), 0, 40), "is not device memory");
  EXPECT_CUDA(cudaMemcpy(x.data(), host.data(), 0, cudaMemcpyHostToDevice));
  EXPECT_CUDA(cudaFreeHost(pinned));
}

TEST(CudaMemoryChecks, CopiesStayInOneAllocation) {
  const OnDevice<int> x(std::size_t{10});
  std::vector<int> host(20);
  EXPECT_CUDA(cudaMemcpy(x.data() + 5, host.data(), 20, cudaMemcpyHostToDevice));
  expect_invalid(cudaMemcpy(x.data() + 5, host.data(), 24, cudaMemcpyHostToDevice),
                 "the destination has room for 20 of 24 bytes in its allocation of 40");
  expect_invalid(cudaMemcpy(host.data(), x.data(), 41, cudaMemcpyDeviceToHost), "the source has room for 40 of 41");
  expect_invalid(cudaMemsetAsync(x.data() + 9, 0, 5, nullptr), "room for 4 of 5");
  EXPECT_TRUE(cuda_on_host::is_device_memory(x.data() + 9, 4));
  EXPECT_FALSE(cuda_on_host::is_device_memory(x.data() + 9, 5));
  EXPECT_FALSE(cuda_on_host::is_device_memory(host.data(), 1));
}

TEST(CudaMemoryChecks, NothingIsFreedTwice) {
  int* address = nullptr;
  EXPECT_CUDA(cudaMalloc(&address, 400));
  expect_invalid(cudaFree(address + 1), "not the start");
  expect_invalid(cudaFreeHost(address), "not the start");
  EXPECT_CUDA(cudaFree(address));
  expect_invalid(cudaFree(address), "freed before");
  EXPECT_CUDA(cudaMallocHost(&address, 400));
  expect_invalid(cudaFree(address), "not the start");
  EXPECT_CUDA(cudaFreeHost(address));
  int on_stack = 0;
  expect_invalid(cudaFreeHost(&on_stack), "not the start");
}

TEST(CudaMemoryChecks, WhatIsNotFreedIsCounted) {
  const cuda_on_host::LiveMemory before = cuda_on_host::live_device_memory();
  const cuda_on_host::LiveMemory pinned_before = cuda_on_host::live_pinned_memory();
  {
    const OnDevice<int> x(std::size_t{10}), y(std::size_t{5});
    int* pinned = nullptr;
    EXPECT_CUDA(cudaMallocHost(&pinned, 100));
    EXPECT_EQ(cuda_on_host::live_device_memory().allocations, before.allocations + 2);
    EXPECT_EQ(cuda_on_host::live_device_memory().bytes, before.bytes + 60);
    EXPECT_EQ(cuda_on_host::live_pinned_memory().bytes, pinned_before.bytes + 100);
    EXPECT_CUDA(cudaFreeHost(pinned));
  }
  EXPECT_EQ(cuda_on_host::live_device_memory().bytes, before.bytes);
  EXPECT_EQ(cuda_on_host::live_pinned_memory().allocations, pinned_before.allocations);
}

TEST(CudaMemoryChecks, TheDeviceCanBeSmall) {
  std::size_t free = 0, total = 0, before = 0;
  EXPECT_CUDA(cudaMemGetInfo(&free, &before));
  const std::size_t used = before - free;
  cuda_on_host::set_device_memory(used + 1000);
  void *fits = nullptr, *too_much = nullptr;
  EXPECT_CUDA(cudaMalloc(&fits, 600));
  EXPECT_CUDA(cudaMemGetInfo(&free, &total));
  EXPECT_EQ(free, 400u);
  EXPECT_EQ(total, used + 1000);
  EXPECT_EQ(cudaMalloc(&too_much, 401), cudaErrorMemoryAllocation);
  EXPECT_EQ(too_much, nullptr);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_CUDA(cudaFree(fits));
  EXPECT_CUDA(cudaMalloc(&too_much, 1000));
  EXPECT_CUDA(cudaFree(too_much));
  cuda_on_host::set_device_memory(before);
}

TEST(CudaMemoryChecks, NewMemoryIsNan) {
  unsigned* address = nullptr;
  unsigned host[3] = {};
  EXPECT_CUDA(cudaMalloc(&address, 12));
  EXPECT_CUDA(cudaMemcpy(host, address, 12, cudaMemcpyDeviceToHost));
  for (unsigned value : host) EXPECT_EQ(value, 0xffffffffu);
  EXPECT_CUDA(cudaFree(address));
}

TEST(CudaMemoryChecks, HandlesAreChecked) {
  cudaStream_t stream = nullptr;
  EXPECT_CUDA(cudaStreamCreate(&stream));
  EXPECT_CUDA(cudaStreamDestroy(stream));
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaMemsetAsync(nullptr, 0, 0, stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(nullptr, nullptr), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaGraphLaunch(nullptr, nullptr), cudaErrorInvalidValue);
  cudaGetLastError();
}

TEST(CudaMemoryChecks, ThereIsOneDevice) {
  int count = 0, device = -1;
  EXPECT_CUDA(cudaGetDeviceCount(&count));
  EXPECT_EQ(count, 1);
  EXPECT_CUDA(cudaGetDevice(&device));
  EXPECT_EQ(device, 0);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  cudaDeviceProp properties{};
  EXPECT_CUDA(cudaGetDeviceProperties(&properties, 0));
  EXPECT_STREQ(properties.name, "host emulation of CUDA (for tests)");
  EXPECT_EQ(properties.major * 10 + properties.minor, 90);
  EXPECT_EQ(properties.multiProcessorCount, 132);
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 1), cudaErrorInvalidDevice);
  cudaGetLastError();
}

TEST(CudaMemoryChecks, ThereMayBeNoDevice) {
  cuda_on_host::set_device_count(0);
  int count = 5;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  void* address = nullptr;
  EXPECT_EQ(cudaMalloc(&address, 10), cudaErrorNoDevice);
  cuda_on_host::set_device_count(1);
  EXPECT_EQ(cudaGetLastError(), cudaErrorNoDevice);
  int version = 0;
  EXPECT_CUDA(cudaRuntimeGetVersion(&version));
  EXPECT_EQ(version, 13000);
}

TEST(CudaMemoryChecks, ErrorsBelongToTheirThread) {
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  std::thread([] { EXPECT_EQ(cudaGetLastError(), cudaSuccess); }).join();
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
}

TEST(CudaMemoryChecks, ThreadsMayShareTheDevice) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&wrong, t] {
      const Stream stream;
      for (int round = 0; round < 20; ++round) {
        const OnDevice<int> x(count_up(500));
        launch(scale_and_add, 2, 256, 0, stream, x.data(), 500, 2, round);
        const std::vector<int> found = x.values();
        for (int i = 0; i < 500; ++i) wrong[t] += found[static_cast<std::size_t>(i)] != 2 * i + round;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// Allocations, copies and fills.
#include <cstdint>
#include <cstring>

#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

TEST(CudaMemory, AllocationsAreAligned) {
  for (std::size_t bytes : {1u, 255u, 256u, 1000u, 1u << 20}) {
    void* address = nullptr;
    EXPECT_CUDA(cudaMalloc(&address, bytes));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % 256, 0u);
    EXPECT_CUDA(cudaFree(address));
  }
  void* none = &none;
  EXPECT_CUDA(cudaMalloc(&none, 0));
  EXPECT_EQ(none, nullptr);
  EXPECT_CUDA(cudaFree(nullptr));
  EXPECT_CUDA(cudaFreeHost(nullptr));
}

TEST(CudaMemory, MoreThanThereIsIsRefused) {
  std::size_t free = 0, total = 0;
  EXPECT_CUDA(cudaMemGetInfo(&free, &total));
  EXPECT_GT(free, 0u);
  EXPECT_LE(free, total);
  void* address = nullptr;
  EXPECT_EQ(cudaMalloc(&address, total + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST(CudaMemory, CopiesInEveryDirection) {
  const std::vector<int> values = count_up(1000);
  const OnDevice<int> a(values), b(std::size_t{1000});
  EXPECT_CUDA(cudaMemcpy(b.data() + 1, a.data(), 999 * sizeof(int), cudaMemcpyDeviceToDevice));
  std::vector<int> expected = count_up(1000, -1);
  expected[0] = 0;
  EXPECT_EQ(b.values(), expected);
  std::vector<int> host(1000);
  EXPECT_CUDA(cudaMemcpy(host.data(), values.data(), 4000, cudaMemcpyHostToHost));
  EXPECT_EQ(host, values);
  EXPECT_CUDA(cudaMemcpy(host.data(), b.data(), 4000, cudaMemcpyDefault));
  EXPECT_EQ(host, expected);
  EXPECT_CUDA(cudaMemcpy(b.data(), values.data(), 4000, cudaMemcpyDefault));
  EXPECT_EQ(b.values(), values);
}

TEST(CudaMemory, FillsAreBytes) {
  const OnDevice<int> x(count_up(10));
  EXPECT_CUDA(cudaMemset(x.data() + 2, 0x01, 3 * sizeof(int)));
  EXPECT_CUDA(cudaMemsetAsync(x.data() + 6, 0xff, sizeof(int), nullptr));
  EXPECT_EQ(x.values(), (std::vector<int>{0, 1, 0x01010101, 0x01010101, 0x01010101, 5, -1, 7, 8, 9}));
}

TEST(CudaMemory, APageableSourceMayBeReusedAtOnce) {
  const Stream stream;
  const OnDevice<int> x(std::size_t{5000});
  std::vector<int> host = count_up(5000);
  EXPECT_CUDA(cudaMemcpyAsync(x.data(), host.data(), x.bytes(), cudaMemcpyHostToDevice, stream));
  std::fill(host.begin(), host.end(), -1);
  EXPECT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(x.values(), count_up(5000));
}

TEST(CudaMemory, ACopyToPageableMemoryIsComplete) {
  const Stream stream;
  const OnDevice<int> x(count_up(5000));
  std::vector<int> host(5000);
  EXPECT_CUDA(launch(scale_and_add, 20, 256, 0, stream, x.data(), 5000, 2, 0));
  EXPECT_CUDA(cudaMemcpyAsync(host.data(), x.data(), x.bytes(), cudaMemcpyDeviceToHost, stream));
  EXPECT_EQ(host[4999], 9998);
}

TEST(CudaMemory, PinnedMemoryRoundTrip) {
  const Stream stream;
  const OnDevice<int> x(std::size_t{100});
  int* pinned = nullptr;
  EXPECT_CUDA(cudaMallocHost(&pinned, 100 * sizeof(int)));
  for (int i = 0; i < 100; ++i) pinned[i] = i;
  EXPECT_CUDA(cudaMemcpyAsync(x.data(), pinned, x.bytes(), cudaMemcpyHostToDevice, stream));
  EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, stream, x.data(), 100, 1, 5));
  EXPECT_CUDA(cudaMemcpyAsync(pinned, x.data(), x.bytes(), cudaMemcpyDeviceToHost, stream));
  EXPECT_CUDA(cudaStreamSynchronize(stream));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pinned[i], i + 5);
  EXPECT_CUDA(cudaFreeHost(pinned));
}

TEST(CudaMemory, PointersAreKnown) {
  const OnDevice<int> x(std::size_t{10});
  int* pinned = nullptr;
  int on_stack = 0;
  EXPECT_CUDA(cudaMallocHost(&pinned, 40));
  cudaPointerAttributes attributes{};
  EXPECT_CUDA(cudaPointerGetAttributes(&attributes, x.data() + 9));
  EXPECT_EQ(attributes.type, cudaMemoryTypeDevice);
  EXPECT_CUDA(cudaPointerGetAttributes(&attributes, pinned));
  EXPECT_EQ(attributes.type, cudaMemoryTypeHost);
  EXPECT_CUDA(cudaPointerGetAttributes(&attributes, &on_stack));
  EXPECT_EQ(attributes.type, cudaMemoryTypeUnregistered);
  EXPECT_CUDA(cudaFreeHost(pinned));
}

TEST(CudaMemory, AnUnknownDirectionIsRefused) {
  int a = 1, b = 2;
  EXPECT_EQ(cudaMemcpy(&a, &b, 4, static_cast<cudaMemcpyKind>(7)), cudaErrorInvalidMemcpyDirection);
  cudaGetLastError();
}

}  // namespace
}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
// Which threads run, and how the threads of a block wait for one another.
#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

__global__ void mark(int* counts, uint3* places, dim3 grid) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned index = block * (blockDim.x * blockDim.y * blockDim.z) + thread;
  atomicAdd(&counts[index], gridDim.x == grid.x && gridDim.y == grid.y && gridDim.z == grid.z ? 1 : 100);
  places[index] = threadIdx;
}

TEST(CudaThreads, EveryThreadOfEveryBlockRunsOnce) {
  const std::pair<dim3, dim3> sizes[] = {{{1}, {1}},    {{3, 2, 2}, {5, 3, 2}}, {{2, 65535}, {1}},
                                         {{7}, {1024}}, {{2}, {1, 1, 64}},      {{1, 1, 9}, {33}}};
  for (const auto& [grid, block] : sizes) {
    const std::size_t threads = std::size_t{block.x} * block.y * block.z;
    const std::size_t count = threads * grid.x * grid.y * grid.z;
    const OnDevice<int> counts(count + 1);
    const OnDevice<uint3> places(count);
    EXPECT_CUDA(launch(mark, grid, block, 0, nullptr, counts.data(), places.data(), grid));
    std::vector<int> expected(count, 1);
    expected.push_back(0);
    EXPECT_EQ(counts.values(), expected) << "blocks of " << threads;
    const std::vector<uint3> found = places.values();
    for (std::size_t i = 0; i < count; ++i) {
      const uint3 place = found[i];
      ASSERT_LT(place.x, block.x);
      ASSERT_LT(place.y, block.y);
      ASSERT_EQ((place.z * block.y + place.y) * block.x + place.x, i % threads);
    }
  }
}

TEST(CudaThreads, TailsAreLeftAlone) {
  for (int count : {1, 31, 32, 33, 255, 256, 257, 1000}) {
    const OnDevice<int> x(count_up(1024));
    const unsigned blocks = static_cast<unsigned>(count + 255) / 256;
    EXPECT_CUDA(launch(scale_and_add, blocks, 256, 0, nullptr, x.data(), count, 3, 1));
    const std::vector<int> found = x.values();
    for (int i = 0; i < 1024; ++i) ASSERT_EQ(found[static_cast<std::size_t>(i)], i < count ? 3 * i + 1 : i);
  }
}

// Rounds of: everybody writes, everybody reads its mirror image.
__global__ void mirror(int* x, int rounds) {
  __shared__ int kept[1024];
  const int self = static_cast<int>(threadIdx.x), last = static_cast<int>(blockDim.x) - 1;
  int* const mine = x + blockIdx.x * blockDim.x;
  int value = mine[self];
  for (int round = 0; round < rounds; ++round) {
    kept[self] = value;
    __syncthreads();
    value = kept[last - self] + round;
    __syncthreads();
  }
  mine[self] = value;
}

TEST(CudaThreads, BarriersSeparateWritesFromReads) {
  for (int threads : {1, 2, 31, 32, 33, 100, 256, 1023, 1024}) {
    const int blocks = 3;
    const OnDevice<int> x(count_up(blocks * threads));
    EXPECT_CUDA(launch(mirror, blocks, static_cast<unsigned>(threads), 0, nullptr, x.data(), 5));
    std::vector<int> expected;
    for (int block = 0; block < blocks; ++block) {
      for (int i = 0; i < threads; ++i) expected.push_back(block * threads + threads - 1 - i + 0 + 1 + 2 + 3 + 4);
    }
    EXPECT_EQ(x.values(), expected) << threads << " threads";
  }
}

__global__ void leave_early(int* x, int stay) {
  __shared__ int kept[256];
  const int self = static_cast<int>(threadIdx.x);
  if (self >= stay) return;
  kept[self] = x[self];
  __syncthreads();
  x[self] = kept[stay - 1 - self];
}

TEST(CudaThreads, ABarrierDoesNotWaitForThreadsThatReturned) {
  for (int stay : {1, 64, 100, 255}) {
    const OnDevice<int> x(count_up(256));
    EXPECT_CUDA(launch(leave_early, 1, 256, 0, nullptr, x.data(), stay));
    std::vector<int> expected = count_up(256);
    for (int i = 0; i < stay; ++i) expected[static_cast<std::size_t>(i)] = stay - 1 - i;
    EXPECT_EQ(x.values(), expected);
  }
}

__global__ void combine(const int* predicates, int* results) {
  const int mine = predicates[threadIdx.x];
  const int any = __syncthreads_or(mine);
  const int all = __syncthreads_and(mine);
  const int count = __syncthreads_count(mine);
  results[threadIdx.x] = 100000 * (any != 0) + 10000 * (all != 0) + count;
}

TEST(CudaThreads, BarriersCombinePredicates) {
  const auto results = [](const std::vector<int>& predicates) {
    const OnDevice<int> in(predicates), out(predicates.size());
    EXPECT_CUDA(launch(combine, 1, static_cast<unsigned>(predicates.size()), 0, nullptr, in.data(), out.data()));
    return out.values();
  };
  std::vector<int> predicates(70, 0);
  EXPECT_EQ(results(predicates), std::vector<int>(70, 0));
  predicates[69] = 8;  // any value other than zero is true
  EXPECT_EQ(results(predicates), std::vector<int>(70, 100001));
  predicates.assign(70, -1);
  EXPECT_EQ(results(predicates), std::vector<int>(70, 110070));
  predicates[0] = 0;
  EXPECT_EQ(results(predicates), std::vector<int>(70, 100069));
}

}  // namespace
}  // namespace chiasm::test

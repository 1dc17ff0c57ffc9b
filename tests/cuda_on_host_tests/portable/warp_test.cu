// SPDX-License-Identifier: Apache-2.0
// What the lanes of a warp tell one another. The expected lanes follow the pseudocode of `shfl` in the PTX manual.
#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

constexpr unsigned kAll = 0xffffffffu;

enum class Kind { kIndex, kUp, kDown, kXor };

template <class T>
__global__ void shuffle(Kind kind, const T* in, T* out, int argument, int width) {
  const T value = in[threadIdx.x];
  T result = value;
  if (kind == Kind::kIndex) result = __shfl_sync(kAll, value, argument, width);
  if (kind == Kind::kUp) result = __shfl_up_sync(kAll, value, static_cast<unsigned>(argument), width);
  if (kind == Kind::kDown) result = __shfl_down_sync(kAll, value, static_cast<unsigned>(argument), width);
  if (kind == Kind::kXor) result = __shfl_xor_sync(kAll, value, argument, width);
  out[threadIdx.x] = result;
}

// The lane whose value `lane` gets. Out of range gives the own lane.
int source(Kind kind, int lane, int argument, int width) {
  const int start = lane / width * width, end = start + width;
  switch (kind) {
    case Kind::kIndex:
      return start + (argument % width + width) % width;
    case Kind::kUp:
      return lane - argument >= start ? lane - argument : lane;
    case Kind::kDown:
      return lane + argument < end ? lane + argument : lane;
    case Kind::kXor:
      break;
  }
  return (lane ^ argument) < end ? lane ^ argument : lane;
}

template <class T>
void check_shuffles(T scale) {
  std::vector<T> values;
  for (int i = 0; i < 64; ++i) values.push_back(static_cast<T>(i + 1) * scale);
  const OnDevice<T> in(values), out(values.size());
  for (Kind kind : {Kind::kIndex, Kind::kUp, Kind::kDown, Kind::kXor}) {
    for (int width : {1, 2, 4, 8, 16, 32}) {
      for (int argument : {0, 1, 2, 3, 7, 15, 16, 17, 31}) {
        EXPECT_CUDA(launch(shuffle<T>, 1, 64, 0, nullptr, kind, in.data(), out.data(), argument, width));
        const std::vector<T> found = out.values();
        for (int i = 0; i < 64; ++i) {
          const int from = i / 32 * 32 + source(kind, i % 32, argument, width);
          ASSERT_EQ(found[static_cast<std::size_t>(i)], values[static_cast<std::size_t>(from)])
              << "kind " << static_cast<int>(kind) << " lane " << i << " argument " << argument << " width " << width;
        }
      }
    }
  }
}

TEST(CudaWarp, ShufflesOfEveryKindAndWidth) { check_shuffles<int>(1); }
TEST(CudaWarp, ShufflesOfFloats) { check_shuffles<float>(0.5f); }
TEST(CudaWarp, ShufflesOfEightBytes) {
  check_shuffles<double>(1e-300);
  check_shuffles<long long>(1LL << 40);
}

TEST(CudaWarp, AnIndexBeyondTheWidthWraps) {
  const OnDevice<int> in(count_up(64)), out(std::size_t{64});
  for (int argument : {-1, 32, 35, 1000}) {
    EXPECT_CUDA(launch(shuffle<int>, 1, 64, 0, nullptr, Kind::kIndex, in.data(), out.data(), argument, 8));
    const std::vector<int> found = out.values();
    for (int i = 0; i < 64; ++i) ASSERT_EQ(found[static_cast<std::size_t>(i)], i / 8 * 8 + (argument & 7));
  }
}

__global__ void halves(const int* in, int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  int value = in[lane];
  if (lane < 16) {
    for (int step = 8; step > 0; step /= 2) value += __shfl_xor_sync(0x0000ffffu, value, step);
  } else {
    value *= 10;
    for (int step = 8; step > 0; step /= 2) value += __shfl_xor_sync(0xffff0000u, value, step);
  }
  out[lane] = value;
}

TEST(CudaWarp, HalvesOfAWarpGoSeparateWays) {
  const OnDevice<int> in(count_up(32)), out(std::size_t{32});
  EXPECT_CUDA(launch(halves, 1, 32, 0, nullptr, in.data(), out.data()));
  std::vector<int> expected(32, 15 * 16 / 2);
  for (int i = 16; i < 32; ++i) expected[static_cast<std::size_t>(i)] = 10 * (31 * 32 / 2 - 15 * 16 / 2);
  EXPECT_EQ(out.values(), expected);
}

// The last warp has eight lanes.
__global__ void short_warp(const int* in, int* out) {
  const unsigned mask = threadIdx.x < 32 ? kAll : 0xffu;
  const int from = threadIdx.x < 32 ? 31 : 7;
  out[threadIdx.x] = __shfl_sync(mask, in[threadIdx.x], from);
}

TEST(CudaWarp, TheLastWarpMayBeShort) {
  const OnDevice<int> in(count_up(40)), out(std::size_t{40});
  EXPECT_CUDA(launch(short_warp, 1, 40, 0, nullptr, in.data(), out.data()));
  std::vector<int> expected(40, 31);
  for (int i = 32; i < 40; ++i) expected[static_cast<std::size_t>(i)] = 39;
  EXPECT_EQ(out.values(), expected);
}

__global__ void vote(const int* predicates, unsigned* ballots, int* any, int* all) {
  const int mine = predicates[threadIdx.x];
  ballots[threadIdx.x] = __ballot_sync(kAll, mine);
  any[threadIdx.x] = __any_sync(kAll, mine) != 0;
  all[threadIdx.x] = __all_sync(kAll, mine) != 0;
}

TEST(CudaWarp, Votes) {
  const OnDevice<int> predicates([] {
    std::vector<int> values(96, 0);
    for (int i = 0; i < 32; ++i) values[static_cast<std::size_t>(i)] = i % 3 == 0 ? i + 1 : 0;
    for (int i = 64; i < 96; ++i) values[static_cast<std::size_t>(i)] = -i;
    return values;
  }());
  const OnDevice<unsigned> ballots(std::size_t{96});
  const OnDevice<int> any(std::size_t{96}), all(std::size_t{96});
  EXPECT_CUDA(launch(vote, 1, 96, 0, nullptr, predicates.data(), ballots.data(), any.data(), all.data()));
  const auto per_warp = [](auto first, auto second, auto third) {
    std::vector<decltype(first)> values(96, first);
    std::fill(values.begin() + 32, values.begin() + 64, second);
    std::fill(values.begin() + 64, values.end(), third);
    return values;
  };
  EXPECT_EQ(ballots.values(), per_warp(0x49249249u, 0u, 0xffffffffu));
  EXPECT_EQ(any.values(), per_warp(1, 0, 1));
  EXPECT_EQ(all.values(), per_warp(0, 0, 1));
}

__global__ void through_shared(int* x) {
  __shared__ int kept[32];
  const int lane = static_cast<int>(threadIdx.x);
  for (int round = 0; round < 3; ++round) {
    kept[lane] = x[lane];
    __syncwarp();
    x[lane] = kept[(lane + 1) % 32];
    __syncwarp();
  }
}

TEST(CudaWarp, SyncwarpSeparatesWritesFromReads) {
  const OnDevice<int> x(count_up(32));
  EXPECT_CUDA(launch(through_shared, 1, 32, 0, nullptr, x.data()));
  std::vector<int> expected;
  for (int i = 0; i < 32; ++i) expected.push_back((i + 3) % 32);
  EXPECT_EQ(x.values(), expected);
}

// One number per block: by shuffles within warps, then across them.
__global__ void block_sum(const int* in, int* out, int count) {
  __shared__ int partial[32];
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  int value = i < count ? in[i] : 0;
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(kAll, value, static_cast<unsigned>(step));
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    value = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0;
    for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(kAll, value, static_cast<unsigned>(step));
    if (threadIdx.x == 0) out[blockIdx.x] = value;
  }
}

TEST(CudaWarp, SumOfABlock) {
  for (int count : {1, 100, 1000, 5000}) {
    const OnDevice<int> in(count_up(count, 1)), out(std::size_t{20});
    const unsigned blocks = static_cast<unsigned>(count + 255) / 256;
    EXPECT_CUDA(launch(block_sum, blocks, 256, 0, nullptr, in.data(), out.data(), count));
    const std::vector<int> found = out.values();
    EXPECT_EQ(std::accumulate(found.begin(), found.end(), 0), count * (count + 1) / 2);
  }
}

}  // namespace
}  // namespace chiasm::test

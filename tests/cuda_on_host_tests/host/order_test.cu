// SPDX-License-Identifier: Apache-2.0
// Programs that depend on an order that CUDA leaves open give different results in different orders: a missing barrier,
// a block that reads what another writes, a missing wait for an event, a missing edge of a graph.
#include "tests/cuda_on_host_tests/support.cuh"

namespace chiasm::test {
namespace {

using cuda_on_host::Order;
using cuda_on_host::OrderKind;

std::vector<Order> every_order() {
  std::vector<Order> orders{
      {.kind = OrderKind::kForward}, {.kind = OrderKind::kReverse}, {.kind = OrderKind::kAlternating}};
  for (std::uint64_t seed = 0; seed < 5; ++seed) orders.push_back({.kind = OrderKind::kShuffled, .seed = seed});
  return orders;
}

class CudaOrder : public testing::Test {
 protected:
  ~CudaOrder() override { cuda_on_host::set_order(before_); }
  const Order before_ = cuda_on_host::order();

  // How many of the orders give `expected`.
  template <class Program>
  static int right_in(const std::vector<Order>& orders, const std::vector<int>& expected, Program program) {
    int right = 0;
    for (const Order& order : orders) {
      cuda_on_host::set_order(order);
      right += program() == expected;
    }
    return right;
  }
};

constexpr int kCount = 100;

enum class Flaw { kNone, kNoBarrierAfterWrites, kNoBarrierAfterReads };

__global__ void rotate(int* x, Flaw flaw) {
  __shared__ int kept[kCount];
  const int self = static_cast<int>(threadIdx.x);
  int value = x[self];
  for (int round = 0; round < 2; ++round) {
    kept[self] = value;
    if (flaw != Flaw::kNoBarrierAfterWrites) __syncthreads();
    value = kept[(self + 1) % kCount];
    if (flaw != Flaw::kNoBarrierAfterReads) __syncthreads();
  }
  x[self] = value;
}

TEST_F(CudaOrder, AMissingBarrierShows) {
  std::vector<int> expected;
  for (int i = 0; i < kCount; ++i) expected.push_back((i + 2) % kCount);
  const auto program = [](Flaw flaw) {
    const OnDevice<int> x(count_up(kCount));
    EXPECT_CUDA(launch(rotate, 1, kCount, 0, nullptr, x.data(), flaw));
    return x.values();
  };
  const std::vector<Order> orders = every_order();
  EXPECT_EQ(right_in(orders, expected, [&] { return program(Flaw::kNone); }), static_cast<int>(orders.size()));
  EXPECT_EQ(right_in(orders, expected, [&] { return program(Flaw::kNoBarrierAfterWrites); }), 0);
  EXPECT_EQ(right_in(orders, expected, [&] { return program(Flaw::kNoBarrierAfterReads); }), 0);
}

// Each thread takes its left neighbour's number: by falling index this is right without a barrier.
__global__ void shift(int* x, bool barrier) {
  __shared__ int kept[kCount + 1];
  const int self = static_cast<int>(threadIdx.x);
  kept[self + 1] = x[self];
  if (self == 0) kept[0] = -1;
  if (barrier) __syncthreads();
  x[self] = kept[self];
}

TEST_F(CudaOrder, AlternatingOrdersShowWhatOneOrderHides) {
  const auto program = [](bool barrier) {
    // Two launches: a forward one and a reverse one.
    const OnDevice<int> x(count_up(kCount));
    for (int i = 0; i < 2; ++i) EXPECT_CUDA(launch(shift, 1, kCount, 0, nullptr, x.data(), barrier));
    return x.values();
  };
  std::vector<int> expected = count_up(kCount, -2);
  expected[0] = expected[1] = -1;
  EXPECT_EQ(right_in({{.kind = OrderKind::kForward}}, expected, [&] { return program(false); }), 1);
  EXPECT_EQ(right_in({{.kind = OrderKind::kReverse}}, expected, [&] { return program(false); }), 0);
  EXPECT_EQ(right_in({{.kind = OrderKind::kAlternating}}, expected, [&] { return program(false); }), 0);
  EXPECT_EQ(right_in(every_order(), expected, [&] { return program(true); }), static_cast<int>(every_order().size()));
}

// Each block reads what the block before it writes.
__global__ void chain(int* x) {
  if (blockIdx.x > 0) x[blockIdx.x] = x[blockIdx.x - 1] + 1;
}

TEST_F(CudaOrder, ABlockThatReadsWhatAnotherWritesShows) {
  const auto program = [] {
    const OnDevice<int> x(std::vector<int>(50, 0));
    for (int i = 0; i < 2; ++i) EXPECT_CUDA(launch(chain, 50, 1, 0, nullptr, x.data()));
    return x.values();
  };
  EXPECT_EQ(right_in({{.kind = OrderKind::kForward}}, count_up(50), program), 1);
  EXPECT_EQ(right_in({{.kind = OrderKind::kReverse}}, count_up(50), program), 0);
  EXPECT_EQ(right_in({{.kind = OrderKind::kShuffled, .seed = 3}}, count_up(50), program), 0);
}

__global__ void block_of(int* visits, int* order, int* next) {
  atomicAdd(&visits[blockIdx.x], 1);
  order[atomicAdd(next, 1)] = static_cast<int>(blockIdx.x);
}

TEST_F(CudaOrder, ShuffledBlocksRunOnceEach) {
  for (int blocks : {1, 2, 7, 12, 97, 1000}) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      cuda_on_host::set_order({.kind = OrderKind::kShuffled, .seed = seed});
      const auto size = static_cast<std::size_t>(blocks);
      const OnDevice<int> visits(size), order(size), next(std::size_t{1});
      EXPECT_CUDA(
          launch(block_of, static_cast<unsigned>(blocks), 1, 0, nullptr, visits.data(), order.data(), next.data()));
      EXPECT_EQ(visits.values(), std::vector<int>(size, 1));
      if (blocks > 10) {
        EXPECT_NE(order.values(), count_up(blocks));
      }
    }
  }
}

TEST_F(CudaOrder, ASeedRepeats) {
  const auto program = [](std::uint64_t seed) {
    cuda_on_host::set_order({.kind = OrderKind::kShuffled, .seed = seed});
    const OnDevice<int> visits(std::size_t{100}), order(std::size_t{100}), next(std::size_t{1});
    EXPECT_CUDA(launch(block_of, 100, 1, 0, nullptr, visits.data(), order.data(), next.data()));
    return order.values();
  };
  EXPECT_EQ(program(8), program(8));
  EXPECT_NE(program(8), program(9));
}

TEST_F(CudaOrder, AMissingWaitForAnEventShows) {
  const auto program = [](bool wait) {
    const Stream writer, reader;
    const Event ready;
    const OnDevice<int> x(count_up(kCount)), y(std::size_t{kCount});
    EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, writer, x.data(), kCount, 1, 1));
    EXPECT_CUDA(cudaEventRecord(ready, writer));
    if (wait) {
      EXPECT_CUDA(cudaStreamWaitEvent(reader, ready));
    }
    EXPECT_CUDA(launch(add_to, 1, 128, 0, reader, x.data(), y.data(), kCount, 0));
    EXPECT_CUDA(cudaStreamSynchronize(reader));
    return y.values();
  };
  const std::vector<int> expected = count_up(kCount, 1);
  EXPECT_EQ(right_in(every_order(), expected, [&] { return program(true); }), static_cast<int>(every_order().size()));
  EXPECT_EQ(right_in({{.kind = OrderKind::kForward}}, expected, [&] { return program(false); }), 0);
  EXPECT_EQ(right_in({{.kind = OrderKind::kReverse}}, expected, [&] { return program(false); }), 0);
}

// Waiting for the reader alone must not let later work of the writer destroy what it reads.
TEST_F(CudaOrder, AMissingWaitBeforeOverwritingShows) {
  const auto program = [](bool wait) {
    const Stream writer, reader;
    const Event read;
    const OnDevice<int> x(count_up(kCount)), y(std::size_t{kCount});
    EXPECT_CUDA(launch(add_to, 1, 128, 0, reader, x.data(), y.data(), kCount, 0));
    EXPECT_CUDA(cudaEventRecord(read, reader));
    if (wait) {
      EXPECT_CUDA(cudaStreamWaitEvent(writer, read));
    }
    EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, writer, x.data(), kCount, 0, -1));
    return y.values();
  };
  EXPECT_EQ(right_in(every_order(), count_up(kCount), [&] { return program(true); }),
            static_cast<int>(every_order().size()));
  EXPECT_EQ(right_in({{.kind = OrderKind::kReverse}}, count_up(kCount), [&] { return program(false); }), 0);
}

TEST_F(CudaOrder, AMissingEdgeOfAGraphShows) {
  const auto program = [](bool wait) {
    const Stream main, branch;
    const Event fork, ready, join;
    const OnDevice<int> x(count_up(kCount)), y(std::size_t{kCount});
    EXPECT_CUDA(cudaStreamBeginCapture(main, cudaStreamCaptureModeThreadLocal));
    EXPECT_CUDA(cudaEventRecord(fork, main));
    EXPECT_CUDA(cudaStreamWaitEvent(branch, fork));
    EXPECT_CUDA(launch(scale_and_add, 1, 128, 0, main, x.data(), kCount, 1, 1));
    EXPECT_CUDA(cudaEventRecord(ready, main));
    if (wait) {
      EXPECT_CUDA(cudaStreamWaitEvent(branch, ready));
    }
    EXPECT_CUDA(launch(add_to, 1, 128, 0, branch, x.data(), y.data(), kCount, 0));
    EXPECT_CUDA(cudaEventRecord(join, branch));
    EXPECT_CUDA(cudaStreamWaitEvent(main, join));
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    EXPECT_CUDA(cudaStreamEndCapture(main, &graph));
    EXPECT_CUDA(cudaGraphInstantiate(&executable, graph, 0));
    for (int i = 0; i < 2; ++i) EXPECT_CUDA(cudaGraphLaunch(executable, main));
    const std::vector<int> found = y.values();
    EXPECT_CUDA(cudaGraphExecDestroy(executable));
    EXPECT_CUDA(cudaGraphDestroy(graph));
    return found;
  };
  const std::vector<int> expected = count_up(kCount, 2);
  EXPECT_EQ(right_in(every_order(), expected, [&] { return program(true); }), static_cast<int>(every_order().size()));
  EXPECT_EQ(right_in({{.kind = OrderKind::kReverse}}, expected, [&] { return program(false); }), 0);
}

}  // namespace
}  // namespace chiasm::test

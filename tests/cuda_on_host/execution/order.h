// SPDX-License-Identifier: Apache-2.0
// In which order things run that CUDA leaves open: the threads of a block between two barriers, the blocks of a grid,
// the work of different streams, the nodes of a graph. A program whose result depends on it is wrong.
#pragma once

#include <cstdint>
#include <vector>

namespace cuda_on_host {

enum class OrderKind : std::uint8_t {
  kForward,      // by index; a stream runs only what somebody waits for
  kReverse,      // by falling index; the stream that got work last goes first, as far as it can
  kAlternating,  // forward and reverse by turns, at every barrier, block, launch, wait and replay
  kShuffled,     // at random
};

struct Order {
  OrderKind kind = OrderKind::kAlternating;
  std::uint64_t seed = 0;  // of kShuffled

  bool operator==(const Order&) const = default;
};

// Starts as the environment variable CUDA_ON_HOST_ORDER says (forward, reverse, alternating, shuffled:SEED), or
// alternating. Set it while nothing runs.
void set_order(Order order);
Order order();

// Small numbers, repeatable by set_order.
std::uint64_t random_below(std::uint64_t limit);

// 0 .. count-1 in the order for the given turn.
void arrange(std::vector<int>& indices, int count, std::uint64_t turn);
// Which of `count` candidates, listed from oldest to youngest, goes next.
int choose(int count, std::uint64_t turn);
// Whether turn number `turn` runs by rising index. Not for kShuffled, where it is random.
bool is_forward(std::uint64_t turn);

}  // namespace cuda_on_host

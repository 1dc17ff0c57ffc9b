// SPDX-License-Identifier: Apache-2.0
#include "tests/cuda_on_host/execution/order.h"

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <utility>

namespace cuda_on_host {
namespace {

Order order_of_environment() {
  const char* text = std::getenv("CUDA_ON_HOST_ORDER");
  if (text == nullptr || *text == 0) return {};
  const std::string value = text;
  if (value == "forward") return {.kind = OrderKind::kForward};
  if (value == "reverse") return {.kind = OrderKind::kReverse};
  if (value == "alternating") return {.kind = OrderKind::kAlternating};
  if (value.starts_with("shuffled:")) {
    return {.kind = OrderKind::kShuffled, .seed = std::strtoull(value.c_str() + 9, nullptr, 10)};
  }
  std::fprintf(stderr, "CUDA_ON_HOST_ORDER=%s: forward, reverse, alternating or shuffled:SEED\n", text);
  std::abort();
}

struct State {
  Order order = order_of_environment();
  std::uint64_t random = order.seed;
};

State& state() {
  static State kept;
  return kept;
}

}  // namespace

void set_order(Order order) {
  state().order = order;
  state().random = order.seed;
}

Order order() { return state().order; }

// SplitMix64 (Steele, Lea and Flood 2014), reduced by multiplication.
std::uint64_t random_below(std::uint64_t limit) {
  std::uint64_t z = (state().random += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return (z >> 32) * limit >> 32;
}

bool is_forward(std::uint64_t turn) {
  switch (state().order.kind) {
    case OrderKind::kForward:
      return true;
    case OrderKind::kReverse:
      return false;
    case OrderKind::kAlternating:
      return turn % 2 == 0;
    case OrderKind::kShuffled:
      break;
  }
  return random_below(2) == 0;
}

void arrange(std::vector<int>& indices, int count, std::uint64_t turn) {
  indices.resize(static_cast<std::size_t>(count));
  if (state().order.kind == OrderKind::kShuffled) {
    std::iota(indices.begin(), indices.end(), 0);
    for (std::size_t i = indices.size(); i > 1; --i) std::swap(indices[i - 1], indices[random_below(i)]);
  } else if (is_forward(turn)) {
    std::iota(indices.begin(), indices.end(), 0);
  } else {
    std::iota(indices.rbegin(), indices.rend(), 0);
  }
}

int choose(int count, std::uint64_t turn) {
  if (state().order.kind == OrderKind::kShuffled) return static_cast<int>(random_below(count));
  return is_forward(turn) ? 0 : count - 1;
}

}  // namespace cuda_on_host

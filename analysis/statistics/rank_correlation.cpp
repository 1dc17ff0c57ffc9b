// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/rank_correlation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "analysis/statistics/correlation.h"
#include "analysis/statistics/rank.h"

namespace chiasm {
namespace {

struct Pair {
  double a, b;
  bool operator==(const Pair&) const = default;
};

std::int64_t pairs_of(std::int64_t count) { return count * (count - 1) / 2; }

// Pairs of equal neighbours in a sorted list.
template <class Same>
std::int64_t tied_pairs(const std::vector<Pair>& sorted, const Same& same) {
  std::int64_t tied = 0, run = 1;
  for (std::size_t i = 1; i <= sorted.size(); ++i) {
    if (i < sorted.size() && same(sorted[i], sorted[i - 1])) {
      ++run;
    } else {
      tied += pairs_of(run);
      run = 1;
    }
  }
  return tied;
}

// Sorts by b and returns how many pairs stood in the wrong order: a merge sort from runs of 1 upwards.
std::int64_t sort_counting_swaps(std::vector<Pair>& pairs) {
  const std::size_t count = pairs.size();
  std::vector<Pair> merged(count);
  std::int64_t swaps = 0;
  for (std::size_t run = 1; run < count; run *= 2) {
    for (std::size_t begin = 0; begin < count; begin += 2 * run) {
      const std::size_t middle = std::min(begin + run, count), end = std::min(begin + 2 * run, count);
      std::size_t left = begin, right = middle;
      for (std::size_t to = begin; to < end; ++to) {
        if (right == end || (left < middle && pairs[left].b <= pairs[right].b)) {
          merged[to] = pairs[left++];
        } else {
          swaps += static_cast<std::int64_t>(middle - left);
          merged[to] = pairs[right++];
        }
      }
    }
    pairs.swap(merged);
  }
  return swaps;
}

}  // namespace

double spearman(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  const std::vector<double> rank_a = ranks(a), rank_b = ranks(b);
  return pearson<double>(rank_a, rank_b);
}

KendallTau kendall(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const auto is_nan = [](double value) { return std::isnan(value); };
  if (a.size() < 2 || std::ranges::any_of(a, is_nan) || std::ranges::any_of(b, is_nan)) return {kNaN, kNaN};
  std::vector<Pair> pairs(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) pairs[i] = {a[i], b[i]};
  std::ranges::sort(pairs, [](const Pair& x, const Pair& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
  const std::int64_t all = pairs_of(std::ssize(a));
  const std::int64_t tied_a = tied_pairs(pairs, [](const Pair& x, const Pair& y) { return x.a == y.a; });
  const std::int64_t tied_both = tied_pairs(pairs, std::equal_to<>{});
  // Pairs tied in a are in order of b: a swap is a discordant pair.
  const std::int64_t discordant = sort_counting_swaps(pairs);
  const std::int64_t tied_b = tied_pairs(pairs, [](const Pair& x, const Pair& y) { return x.b == y.b; });
  const std::int64_t concordant = all - tied_a - tied_b + tied_both - discordant;
  const auto difference = static_cast<double>(concordant - discordant);
  const double free_a = static_cast<double>(all - tied_a), free_b = static_cast<double>(all - tied_b);
  return {difference / static_cast<double>(all),
          // Two square roots of equal numbers would not give back the number.
          free_a == free_b ? difference / free_a : difference / std::sqrt(free_a) / std::sqrt(free_b)};
}

}  // namespace chiasm

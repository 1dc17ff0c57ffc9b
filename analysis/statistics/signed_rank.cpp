// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/signed_rank.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "analysis/statistics/normal.h"
#include "analysis/statistics/rank.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMostPairsForExact = 50;

// P(sum of the ranks with a positive sign <= limit), every sign being as likely as its opposite.
double exact_lower_tail(const std::vector<double>& ranks, double limit) {
  // Ranks shared by ties are halves: in units of a half, every sum is a whole number.
  const auto most = static_cast<std::size_t>(std::llround(2.0 * limit));
  std::vector<double> probability(most + 1, 0.0);
  probability[0] = 1.0;
  for (const double rank : ranks) {
    const auto step = static_cast<std::size_t>(std::llround(2.0 * rank));
    for (std::size_t sum = most + 1; sum-- > 0;) {
      probability[sum] = 0.5 * (probability[sum] + (sum >= step ? probability[sum - step] : 0.0));
    }
  }
  double tail = 0.0;
  for (const double p : probability) tail += p;
  return tail;
}

}  // namespace

SignedRank signed_rank(std::span<const double> a, std::span<const double> b, Alternative alternative,
                       SignedRankMethod method) {
  assert(a.size() == b.size());
  SignedRank result{};
  std::vector<double> sizes;
  std::vector<bool> greater;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = a[i] - b[i];
    if (std::isnan(difference)) {
      ++result.dropped;
    } else if (difference == 0.0) {
      ++result.zeros;
    } else {
      sizes.push_back(std::abs(difference));
      greater.push_back(difference > 0.0);
    }
  }
  result.pairs = std::ssize(sizes);
  sizes = tie_within_rounding(sizes);  // 0.7 - 0.5 and 0.4 - 0.2
  const std::vector<double> rank = ranks(sizes);
  const std::vector<std::int64_t> ties = tie_sizes(sizes);
  double above = 0.0;
  for (std::size_t i = 0; i < rank.size(); ++i) above += greater[i] ? rank[i] : 0.0;
  const auto n = static_cast<double>(result.pairs);
  const double below = 0.5 * n * (n + 1.0) - above;
  result.statistic = alternative == Alternative::kTwoSided ? std::min(above, below) : above;
  const bool plain = result.pairs <= kMostPairsForExact && result.zeros == 0 && ties.empty();
  result.exact = method == SignedRankMethod::kExact || (method == SignedRankMethod::kAutomatic && plain);
  if (result.pairs == 0) {
    result.p = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  // Both distributions are symmetric: each tail is a lower one.
  const double tail_end = alternative == Alternative::kGreater ? below
                          : alternative == Alternative::kLess  ? above
                                                               : result.statistic;
  double tail = 0.0;
  if (result.exact) {
    tail = exact_lower_tail(rank, tail_end);
  } else {
    double variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0;
    for (const std::int64_t size : ties) {
      const auto t = static_cast<double>(size);
      variance -= (t * t * t - t) / 48.0;
    }
    tail = normal_cdf((tail_end - 0.25 * n * (n + 1.0)) / std::sqrt(variance));
  }
  result.p = std::min(alternative == Alternative::kTwoSided ? 2.0 * tail : tail, 1.0);
  return result;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <string>

#include "kernels/error.h"

namespace chiasm {
namespace {

void require_both(const Split& split, const std::string& how) {
  if (split.train.empty() || split.test.empty()) {
    throw InputError(how + " leaves " + std::to_string(split.train.size()) + " stimuli to train on and " +
                     std::to_string(split.test.size()) + " to test on: both need one or more");
  }
}

void require_fraction(double train) {
  if (train > 0.0 && train < 1.0) return;
  throw InputError("a train fraction of " + std::to_string(train) + ": allowed is between 0 and 1");
}

std::vector<Split> folds_of(const std::vector<std::int64_t>& order, int folds) {
  const std::int64_t count = std::ssize(order);
  if (folds < 2 || folds > count) {
    throw InputError(std::to_string(folds) + " folds of " + std::to_string(count) +
                     " stimuli: allowed are 2 to as many");
  }
  std::vector<int> fold_of(order.size());
  std::int64_t begin = 0;
  for (int fold = 0; fold < folds; ++fold) {
    const std::int64_t size = count / folds + (fold < count % folds ? 1 : 0);
    for (std::int64_t i = begin; i < begin + size; ++i) {
      fold_of[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = fold;
    }
    begin += size;
  }
  std::vector<Split> splits(static_cast<std::size_t>(folds));
  for (int fold = 0; fold < folds; ++fold) {
    Split& split = splits[static_cast<std::size_t>(fold)];
    for (std::int64_t i = 0; i < count; ++i) {
      (fold_of[static_cast<std::size_t>(i)] == fold ? split.test : split.train).push_back(i);
    }
  }
  return splits;
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace

std::vector<std::int64_t> legacy_permutation(std::uint32_t seed, std::int64_t count) {
  // RandomState(seed) initialises MT19937 as the C++ library does.
  std::mt19937 random(seed);
  std::vector<std::int64_t> order = numbers(count);
  for (std::int64_t i = count - 1; i > 0; --i) {
    std::uint32_t mask = static_cast<std::uint32_t>(i);
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    std::uint32_t draw = 0;
    do {
      draw = static_cast<std::uint32_t>(random()) & mask;
    } while (draw > i);
    std::swap(order[static_cast<std::size_t>(i)], order[draw]);
  }
  return order;
}

Split random_split(std::uint32_t seed, std::int64_t count, double train_fraction) {
  require_fraction(train_fraction);
  const std::vector<std::int64_t> order = legacy_permutation(seed, count);
  const auto trained = static_cast<std::int64_t>(std::ceil(train_fraction * static_cast<double>(count)));
  const auto middle = order.begin() + std::min(trained, count);
  Split split{{order.begin(), middle}, {middle, order.end()}};
  require_both(split, "a train fraction of " + std::to_string(train_fraction));
  return split;
}

Split stratified_split(std::uint32_t seed, std::span<const std::int32_t> labels, double train_fraction) {
  require_fraction(train_fraction);
  std::map<std::int32_t, std::int64_t> trains;  // how many of each class are still to train
  for (const std::int32_t label : labels) ++trains[label];
  for (auto& [label, count] : trains) {
    if (count < 2)
      throw InputError("class " + std::to_string(label) + " has 1 stimulus: one to train and one to test are needed");
    count = std::min(static_cast<std::int64_t>(std::ceil(train_fraction * static_cast<double>(count))), count - 1);
  }
  Split split;
  for (const std::int64_t i : legacy_permutation(seed, std::ssize(labels))) {
    (trains[labels[static_cast<std::size_t>(i)]]-- > 0 ? split.train : split.test).push_back(i);
  }
  require_both(split, "a train fraction of " + std::to_string(train_fraction));
  return split;
}

Split split_by(const std::vector<std::int64_t>& train, std::int64_t count) {
  std::vector<bool> trains(static_cast<std::size_t>(count));
  for (const std::int64_t index : train) {
    if (index < 0 || index >= count) {
      throw InputError("train index " + std::to_string(index) + ": allowed are 0 to " + std::to_string(count - 1));
    }
    if (trains[static_cast<std::size_t>(index)]) throw InputError("train index " + std::to_string(index) + " twice");
    trains[static_cast<std::size_t>(index)] = true;
  }
  Split split{train, {}};
  for (std::int64_t i = 0; i < count; ++i) {
    if (!trains[static_cast<std::size_t>(i)]) split.test.push_back(i);
  }
  require_both(split, "the list of train indices");
  return split;
}

std::vector<Split> contiguous_folds(std::int64_t count, int folds) { return folds_of(numbers(count), folds); }

std::vector<Split> shuffled_folds(std::uint32_t seed, std::int64_t count, int folds) {
  return folds_of(legacy_permutation(seed, count), folds);
}

}  // namespace chiasm

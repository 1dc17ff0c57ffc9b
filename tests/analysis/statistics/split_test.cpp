// SPDX-License-Identifier: Apache-2.0
#include "analysis/statistics/split.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/error.h"

namespace chiasm {
namespace {

using Indices = std::vector<std::int64_t>;

// What NumPy 1.24 prints for RandomState(seed).permutation(count).
TEST(Split, PermutationsAreThoseOfNumPysLegacyGenerator) {
  EXPECT_EQ(legacy_permutation(0, 10), (Indices{2, 8, 4, 9, 1, 6, 7, 3, 0, 5}));
  EXPECT_EQ(legacy_permutation(9, 5), (Indices{3, 0, 1, 2, 4}));
  Indices mouse = legacy_permutation(7, 118);
  EXPECT_EQ(Indices(mouse.begin(), mouse.begin() + 12), (Indices{79, 105, 71, 22, 26, 40, 5, 43, 13, 77, 62, 58}));
  std::ranges::sort(mouse);
  for (std::int64_t i = 0; i < 118; ++i) EXPECT_EQ(mouse[static_cast<std::size_t>(i)], i);
  EXPECT_TRUE(legacy_permutation(1, 0).empty());
}

// The counts of spec/neural_analysis.md section 3.
TEST(Split, TrainsOnTheCeilingOfTheFraction) {
  const std::tuple<int, double, int> cases[] = {
      {118, 0.5, 59}, {400, 0.2, 80}, {900, 0.2, 180}, {80, 0.2, 16}, {7, 0.5, 4}};
  for (const auto& [count, fraction, train] : cases) {
    const Split split = random_split(3, count, fraction);
    EXPECT_EQ(std::ssize(split.train), train);
    Indices all = split.train;
    all.insert(all.end(), split.test.begin(), split.test.end());
    EXPECT_EQ(all, legacy_permutation(3, count));
  }
  EXPECT_THROW(random_split(0, 10, 1.0), InputError);
  EXPECT_THROW(random_split(0, 1, 0.5), InputError);
}

TEST(Split, GivenIndicesTrainAndTheRestTestsInOrder) {
  EXPECT_EQ(split_by({4, 0, 2}, 6), (Split{{4, 0, 2}, {1, 3, 5}}));
  EXPECT_THROW(split_by({6}, 6), InputError);
  EXPECT_THROW(split_by({-1}, 6), InputError);
  EXPECT_THROW(split_by({1, 1}, 6), InputError);
  EXPECT_THROW(split_by({0, 1}, 2), InputError);
}

// KFold(5) of 12 (spec section 12), and what scikit-learn 1.2 gives for KFold(4, shuffle=True, random_state=3) of 10.
TEST(Split, FoldsAreThoseOfScikitLearn) {
  const auto plain = contiguous_folds(12, 5);
  ASSERT_EQ(plain.size(), 5);
  EXPECT_EQ(plain[0].test, (Indices{0, 1, 2}));
  EXPECT_EQ(plain[1].test, (Indices{3, 4, 5}));
  EXPECT_EQ(plain[4], (Split{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {10, 11}}));
  const auto shuffled = shuffled_folds(3, 10, 4);
  EXPECT_EQ(shuffled[0].test, (Indices{1, 4, 5}));
  EXPECT_EQ(shuffled[1].test, (Indices{2, 6, 9}));
  EXPECT_EQ(shuffled[2].test, (Indices{0, 7}));
  EXPECT_EQ(shuffled[3].test, (Indices{3, 8}));
  EXPECT_THROW(contiguous_folds(3, 4), InputError);
  EXPECT_THROW(contiguous_folds(3, 1), InputError);
}

// A rare class has its share in every split, which a split of all images does not give it.
TEST(StratifiedSplit, KeepsTheSharesOfClasses) {
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 100; ++i) labels.push_back(i % 25 == 0 ? 1 : i < 40 ? 0 : 2);
  bool uneven = false;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const Split split = stratified_split(seed, labels, 0.75);
    const auto trained = [&](const Split& of, std::int32_t label) {
      return std::ranges::count_if(of.train,
                                   [&](std::int64_t i) { return labels[static_cast<std::size_t>(i)] == label; });
    };
    EXPECT_EQ(trained(split, 0), 29);  // ceil(.75 * 38)
    EXPECT_EQ(trained(split, 1), 3);
    EXPECT_EQ(trained(split, 2), 44);  // ceil(.75 * 58)
    std::vector<std::int64_t> all = split.train;
    all.insert(all.end(), split.test.begin(), split.test.end());
    std::ranges::sort(all);
    for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], i);
    uneven |= trained(random_split(seed, 100, 0.75), 1) != 3;
  }
  EXPECT_TRUE(uneven);
  EXPECT_EQ(stratified_split(3, std::vector<std::int32_t>(37, 5), 0.5), random_split(3, 37, 0.5));
  EXPECT_EQ(stratified_split(3, std::vector<std::int32_t>{0, 0, 1, 1}, 0.9).test.size(), 2u);
  EXPECT_THROW(stratified_split(3, std::vector<std::int32_t>{0, 0, 1}, 0.5), InputError);
  EXPECT_THROW(stratified_split(3, std::vector<std::int32_t>{0, 0}, 1.0), InputError);
}

}  // namespace
}  // namespace chiasm

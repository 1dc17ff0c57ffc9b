// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/class_splits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/error.h"
#include "tests/support/golden.h"

namespace chiasm {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

using Labels = std::vector<std::int32_t>;

TEST(ClassSplits, StratifiedFoldsAreThoseOfScikitLearn) {
  const test::Golden golden("behaviour");
  for (const std::string name : {"folds_mixed", "folds_sorted"}) {
    const auto labels = golden.at(name + "/labels").values<std::int32_t>();
    const auto folds = golden.at(name + "/folds").values<std::int32_t>();
    const std::vector<Split> splits = stratified_folds(labels, 5);
    ASSERT_EQ(splits.size(), 5u);
    for (int fold = 0; fold < 5; ++fold) {
      std::vector<std::int64_t> test, train;
      for (std::int64_t i = 0; i < std::ssize(labels); ++i) {
        (folds[static_cast<std::size_t>(i)] == fold ? test : train).push_back(i);
      }
      EXPECT_EQ(splits[static_cast<std::size_t>(fold)], (Split{train, test})) << name << ", fold " << fold;
    }
  }
}

TEST(ClassSplits, AClassNeedsAsManyImagesAsFolds) {
  EXPECT_THAT(
      [] {
        stratified_folds(Labels{0, 0, 0, 4, 4}, 3);
      },
      ThrowsMessage<InputError>(HasSubstr("class 4 has 2 images: 3 stratified folds")));
  EXPECT_THROW(stratified_folds(Labels{0, 0, 1, 1}, 1), InputError);
}

Labels study_labels() {
  Labels labels(1320);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 10);
  return labels;
}

// spec/neural_analysis.md section 10: 1000 to train on, 100 of each class, 320 to test, in 20 x 10 splits, each image
// tested at least once in each of the 20.
TEST(ClassSplits, CoverEveryImageInEveryTrial) {
  const Labels labels = study_labels();
  const std::vector<Split> splits = covering_splits(labels, 100, 200, 5);
  ASSERT_EQ(splits.size(), 200u);
  std::vector<int> total(labels.size());
  for (std::size_t trial = 0; trial < 20; ++trial) {
    std::vector<int> tested(labels.size());
    for (std::size_t k = trial * 10; k < trial * 10 + 10; ++k) {
      const Split& split = splits[k];
      ASSERT_EQ(split.train.size(), 1000u);
      ASSERT_EQ(split.test.size(), 320u);
      std::vector<int> of_class(10);
      for (const std::int64_t i : split.train)
        ++of_class[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
      EXPECT_EQ(of_class, std::vector<int>(10, 100));
      std::set<std::int64_t> all(split.train.begin(), split.train.end());
      all.insert(split.test.begin(), split.test.end());
      EXPECT_EQ(all.size(), 1320u);
      EXPECT_TRUE(std::ranges::is_sorted(split.train) && std::ranges::is_sorted(split.test));
      for (const std::int64_t i : split.test) ++tested[static_cast<std::size_t>(i)];
    }
    EXPECT_GE(*std::ranges::min_element(tested), 1);
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += tested[i];
    EXPECT_LE(*std::ranges::max_element(total) - *std::ranges::min_element(total), 1);
  }
}

TEST(ClassSplits, DependOnTheSeedAndTheSplit) {
  const Labels labels = study_labels();
  const auto a = covering_splits(labels, 100, 4, 1), b = covering_splits(labels, 100, 2, 1);
  EXPECT_EQ(a[0], b[0]);
  EXPECT_EQ(a[1], b[1]);
  EXPECT_NE(a[0], covering_splits(labels, 100, 1, 2)[0]);
  EXPECT_NE(a[0], a[1]);
}

TEST(ClassSplits, AClassKeepsImagesToTest) {
  EXPECT_THAT(
      [] {
        covering_splits(Labels{0, 0, 0, 1, 1}, 2, 1, 0);
      },
      ThrowsMessage<InputError>(HasSubstr("class 1 has 2 images: with 2 to train on, none is left to test")));
  EXPECT_THROW(covering_splits(Labels{0, 0, 1, 1}, 0, 1, 0), InputError);
}

TEST(ShuffledStratifiedFolds, ArePartitionsThatKeepTheSharesInAnotherOrder) {
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 60; ++i) labels.push_back(i < 20 ? 0 : 1);
  const std::vector<Split> folds = shuffled_stratified_folds(labels, 5, 3);
  std::vector<int> tested(labels.size());
  for (const Split& fold : folds) {
    EXPECT_EQ(split_by(fold.train, 60), fold);  // ascending, and all of the others
    for (const std::int64_t i : fold.test) ++tested[static_cast<std::size_t>(i)];
    EXPECT_EQ(std::ranges::count_if(fold.test, [](std::int64_t i) { return i < 20; }), 4);
    EXPECT_EQ(fold.test.size(), 12u);
  }
  EXPECT_EQ(tested, std::vector<int>(60, 1));
  EXPECT_EQ(shuffled_stratified_folds(labels, 5, 3), folds);
  EXPECT_NE(shuffled_stratified_folds(labels, 5, 4), folds);
  EXPECT_NE(shuffled_stratified_folds(labels, 5, 3, 1), folds);
  EXPECT_NE(stratified_folds(labels, 5), folds);
}

}  // namespace
}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Which stimuli a map is fitted on and which it is tested on (spec/neural_analysis.md section 3).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace chiasm {

// numpy.random.RandomState(seed).permutation(count): the published splits are permutations of NumPy's legacy generator
// (MT19937, masked rejection, Fisher-Yates from the end). REQUIRES: 0 <= count <= 2^32.
std::vector<std::int64_t> legacy_permutation(std::uint32_t seed, std::int64_t count);

struct Split {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> test;
  bool operator==(const Split&) const = default;
};

// The first ceil(fraction * count) stimuli of the permutation of that seed train, the others test. Throws InputError
// when either is empty.
Split random_split(std::uint32_t seed, std::int64_t count, double train_fraction);
// The same within each class of `labels`, so that shares of classes are equal on both sides: the first
// ceil(fraction * n) of the n stimuli of a class in that permutation train, but at least one and not the last. Of one
// class that is random_split (n > 1 / (1 - fraction)). Throws InputError for a class of one stimulus, naming it.
Split stratified_split(std::uint32_t seed, std::span<const std::int32_t> labels, double train_fraction);
// `train` as given; the remaining indices test, in ascending order. Throws InputError for indices that are outside or
// occur twice, and when either is empty.
Split split_by(const std::vector<std::int64_t>& train, std::int64_t count);

// Contiguous folds of [0, count): the first count % folds have one more, as scikit-learn's KFold. Throws InputError
// unless 2 <= folds <= count.
std::vector<Split> contiguous_folds(std::int64_t count, int folds);
// The same of the permutation of that seed, as KFold(shuffle=True, random_state=seed): test indices are sorted.
std::vector<Split> shuffled_folds(std::uint32_t seed, std::int64_t count, int folds);

}  // namespace chiasm

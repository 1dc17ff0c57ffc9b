// SPDX-License-Identifier: Apache-2.0
// Splits of labelled images that keep the shares of the classes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/statistics/split.h"

namespace chiasm {

// Those of scikit-learn's StratifiedKFold without shuffling: the images of a class go to the folds in their order, and
// how many of them each fold gets follows from dealing the sorted labels to the folds in turn. Throws InputError,
// naming the class, where one has fewer images than folds: in some fold it would have no image to test, or none to
// train on.
std::vector<Split> stratified_folds(std::span<const std::int32_t> labels, int folds);
// The same of the images in a random order, for images whose order says something of them (views, sessions). Fold f
// depends on the seed, `stream` and the labels. Indices ascend.
std::vector<Split> shuffled_stratified_folds(std::span<const std::int32_t> labels, int folds, std::uint64_t seed,
                                             std::uint32_t stream = 0);

// `count` random splits with `train_per_class` training images of each class; the rest of the class is tested
// (spec/neural_analysis.md section 10: 100 of 132). The test images of a class are taken in turn from random orders of
// all its images, one order after the other: after any number of splits the numbers of times that two of them were
// tested differ by at most 1, and any run of splits that tests 2 n - 1 of a class of n (10 splits of 32 of 132) tests
// each of them. Split k depends on the seed, k and the labels alone. Indices ascend. Throws InputError where a class
// has no image left to test, naming it.
std::vector<Split> covering_splits(std::span<const std::int32_t> labels, int train_per_class, int count,
                                   std::uint64_t seed);

}  // namespace chiasm

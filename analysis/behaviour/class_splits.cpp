// SPDX-License-Identifier: Apache-2.0
#include "analysis/behaviour/class_splits.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

// Not a class: keeps the folds' random numbers apart from those of covering splits.
constexpr std::uint32_t kFoldsOfStream = 0x80000000U;

using Images = std::vector<std::int64_t>;

// The images of each class, in their order.
std::map<std::int32_t, Images> images_by_class(std::span<const std::int32_t> labels) {
  std::map<std::int32_t, Images> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(static_cast<std::int64_t>(i));
  return classes;
}

void shuffle(Images& images, const RandomStream& random) {
  for (std::size_t i = images.size(); i > 1; --i) std::swap(images[i - 1], images[random.below(i, i)]);
}

// Random orders of the images of one class, one after the other.
class Turns {
 public:
  Turns(Images images, std::uint64_t seed, std::uint32_t label)
      : images_(std::move(images)), seed_(seed), label_(label) {}

  // The next `count`, which differ. REQUIRES: there are as many images.
  Images next(std::size_t count) {
    Images taken;
    while (taken.size() < count) {
      if (at_ == order_.size()) {
        order_ = images_;
        shuffle(order_, RandomStream({seed_, RandomPurpose::kShuffle, round_++, 0, label_}));
        at_ = 0;
        // What this split has had from the order before goes to the end.
        std::ranges::stable_partition(order_,
                                      [&](std::int64_t i) { return std::ranges::find(taken, i) == taken.end(); });
      }
      taken.push_back(order_[at_++]);
    }
    std::ranges::sort(taken);
    return taken;
  }

 private:
  Images images_, order_;
  std::size_t at_ = 0;
  std::uint64_t seed_;
  std::uint32_t label_, round_ = 0;
};

}  // namespace

std::vector<Split> stratified_folds(std::span<const std::int32_t> labels, int folds) {
  if (folds < 2) throw InputError(std::to_string(folds) + " stratified folds: allowed are 2 or more");
  const auto classes = images_by_class(labels);
  // scikit-learn numbers the classes by their first image.
  std::vector<std::pair<std::int32_t, Images>> by_first(classes.begin(), classes.end());
  std::ranges::sort(by_first, {}, [](const auto& entry) { return entry.second.front(); });
  std::vector<int> fold_of(labels.size());
  std::size_t begin = 0;  // in the labels sorted by that number
  for (const auto& [label, images] : by_first) {
    if (std::ssize(images) < folds) {
      throw InputError("class " + std::to_string(label) + " has " + std::to_string(images.size()) +
                       " images: " + std::to_string(folds) + " stratified folds need as many of each class");
    }
    std::size_t next = 0;
    for (int fold = 0; fold < folds; ++fold) {
      // The positions begin <= i < begin + size with i % folds == fold.
      const auto f = static_cast<std::size_t>(fold), step = static_cast<std::size_t>(folds);
      const auto up_to = [&](std::size_t end) { return (end + step - 1 - f) / step; };
      for (std::size_t count = up_to(begin + images.size()) - up_to(begin); count > 0; --count) {
        fold_of[static_cast<std::size_t>(images[next++])] = fold;
      }
    }
    begin += images.size();
  }
  std::vector<Split> splits(static_cast<std::size_t>(folds));
  for (int fold = 0; fold < folds; ++fold) {
    Split& split = splits[static_cast<std::size_t>(fold)];
    for (std::size_t i = 0; i < labels.size(); ++i) {
      (fold_of[i] == fold ? split.test : split.train).push_back(static_cast<std::int64_t>(i));
    }
  }
  return splits;
}

std::vector<Split> shuffled_stratified_folds(std::span<const std::int32_t> labels, int folds, std::uint64_t seed,
                                             std::uint32_t stream) {
  Images order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, RandomStream({seed, RandomPurpose::kShuffle, 0, stream, kFoldsOfStream}));
  std::vector<std::int32_t> shuffled;
  for (const std::int64_t i : order) shuffled.push_back(labels[static_cast<std::size_t>(i)]);
  std::vector<Split> splits = stratified_folds(shuffled, folds);
  for (Split& split : splits) {
    for (Images* images : {&split.train, &split.test}) {
      for (std::int64_t& i : *images) i = order[static_cast<std::size_t>(i)];
      std::ranges::sort(*images);
    }
  }
  return splits;
}

std::vector<Split> covering_splits(std::span<const std::int32_t> labels, int train_per_class, int count,
                                   std::uint64_t seed) {
  if (train_per_class < 1) {
    throw InputError(std::to_string(train_per_class) + " training images of each class: allowed are 1 or more");
  }
  std::vector<Turns> turns;
  std::vector<std::size_t> tested;
  for (const auto& [label, images] : images_by_class(labels)) {
    if (std::ssize(images) <= train_per_class) {
      throw InputError("class " + std::to_string(label) + " has " + std::to_string(images.size()) + " images: with " +
                       std::to_string(train_per_class) + " to train on, none is left to test");
    }
    tested.push_back(images.size() - static_cast<std::size_t>(train_per_class));
    turns.emplace_back(images, seed, static_cast<std::uint32_t>(label));
  }
  std::vector<Split> splits(static_cast<std::size_t>(count));
  for (Split& split : splits) {
    std::vector<bool> tests(labels.size());
    for (std::size_t k = 0; k < turns.size(); ++k) {
      for (const std::int64_t i : turns[k].next(tested[k])) tests[static_cast<std::size_t>(i)] = true;
    }
    for (std::size_t i = 0; i < tests.size(); ++i) {
      (tests[i] ? split.test : split.train).push_back(static_cast<std::int64_t>(i));
    }
  }
  return splits;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <numeric>
#include <thread>

#include "engine/data/dataset.h"
#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::error_of;
using testing::HasSubstr;

// Sample i is a 2 x 2 image of (i, i, i, i + 1/2) with label i mod 3.
class Counting : public Dataset {
 public:
  explicit Counting(std::int64_t size) : size_(size) {}
  std::int64_t size() const override { return size_; }
  Spec image() const override { return {DType::kFloat32, {2, 2, 1}}; }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::int32_t load(std::int64_t index, Pixels& image) const override {
    loads.fetch_add(1);
    if (index == broken) throw FileError("sample.png", "byte 3", "broken");
    // Uneven work, so that workers finish out of order.
    if (index % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    const auto value = static_cast<float>(index);
    image = {.height = 2, .width = 2, .channels = 1, .values = {value, value, value, value + 0.5F}};
    return static_cast<std::int32_t>(index % 3);
  }

  mutable std::atomic<int> loads = 0;
  std::int64_t broken = -1;

 private:
  std::int64_t size_;
  std::vector<std::string> names_ = {"a", "b", "c"};
};

std::vector<Batch> take(Loader& loader, int count) {
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) {
    const LoaderPosition expected = loader.position();
    std::optional<Batch> batch = loader.next();
    if (!batch) break;
    EXPECT_EQ(batch->position, expected);
    batches.push_back(std::move(*batch));
  }
  return batches;
}

std::vector<Batch> take(std::int64_t size, const LoaderConfig& config, int count) {
  Loader loader(std::make_shared<Counting>(size), config);
  return take(loader, count);
}

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.at("image").spec(), b.at("image").spec());
  EXPECT_TRUE(std::ranges::equal(a.at("image").bytes(), b.at("image").bytes()));
  EXPECT_TRUE(std::ranges::equal(a.at("label").bytes(), b.at("label").bytes()));
  EXPECT_TRUE(std::ranges::equal(a.indices.bytes(), b.indices.bytes()));
}

LoaderConfig augmented() {
  return {.batch_size = 8,
          .seed = 11,
          .views = {{.augmentation = {
                         .pad = 1, .random_crop = true, .flip_probability = 0.5, .normalisation = {.mean = {3.0}}}}}};
}

TEST(EpochOrder, IsAPermutationOfItsAddress) {
  for (const std::int64_t size : {1, 2, 3, 1000}) {
    std::vector<std::int32_t> order = epoch_order(1, 0, size);
    std::ranges::sort(order);
    std::vector<std::int32_t> all(static_cast<std::size_t>(size));
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(order, all);
  }
  EXPECT_EQ(epoch_order(1, 0, 1000), epoch_order(1, 0, 1000));
  EXPECT_NE(epoch_order(1, 0, 1000), epoch_order(1, 1, 1000));
  EXPECT_NE(epoch_order(1, 0, 1000), epoch_order(2, 0, 1000));
}

// All 24 orders of 4 samples come equally often: of 24000 epochs each has mean 1000, deviation 31.
TEST(EpochOrder, IsUniform) {
  std::map<std::vector<std::int32_t>, int> seen;
  for (std::uint32_t epoch = 0; epoch < 24000; ++epoch) ++seen[epoch_order(3, epoch, 4)];
  ASSERT_EQ(seen.size(), 24U);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, 1000, 5 * 31);
}

TEST(Loader, PutsTheRightThingsTogether) {
  const std::vector<Batch> batches = take(10, {.batch_size = 4, .seed = 5, .epochs = 2}, 100);
  ASSERT_EQ(batches.size(), 6U);
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<std::int32_t> seen;
    for (std::size_t b = 0; b < 3; ++b) {
      const Batch& batch = batches[epoch * 3 + b];
      EXPECT_EQ(batch.position, (LoaderPosition{static_cast<std::int64_t>(epoch), static_cast<std::int64_t>(b)}));
      const std::int64_t count = b < 2 ? 4 : 2;
      ASSERT_EQ(batch.at("image").shape(), (Shape{count, 2, 2, 1}));
      ASSERT_EQ(batch.at("label").shape(), (Shape{count}));
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        const std::int32_t index = batch.indices.values<std::int32_t>()[i];
        EXPECT_EQ(batch.at("label").values<std::int32_t>()[i], index % 3);
        EXPECT_EQ(batch.at("image").values<float>()[i * 4], static_cast<float>(index));
        EXPECT_EQ(batch.at("image").values<float>()[i * 4 + 3], static_cast<float>(index) + 0.5F);
        seen.push_back(index);
      }
    }
    EXPECT_EQ(seen, epoch_order(5, static_cast<std::uint32_t>(epoch), 10));
  }
}

TEST(Loader, DropsTheSmallLastBatch) {
  const std::vector<Batch> batches = take(10, {.batch_size = 4, .drop_last = true, .epochs = 2}, 100);
  ASSERT_EQ(batches.size(), 4U);
  for (const Batch& batch : batches) EXPECT_EQ(batch.at("image").shape()[0], 4);
}

TEST(Loader, KeepsTheOrderWithoutShuffle) {
  const std::vector<Batch> batches = take(5, {.batch_size = 5, .shuffle = false}, 2);
  for (const Batch& batch : batches) {
    EXPECT_THAT(batch.indices.values<std::int32_t>(), testing::ElementsAre(0, 1, 2, 3, 4));
  }
}

TEST(Loader, GivesTheSameBitsWithAnyWorkersAndPrefetch) {
  LoaderConfig config = augmented();
  config.workers = 0;
  const std::vector<Batch> reference = take(50, config, 30);
  ASSERT_EQ(reference.size(), 30U);
  for (const int workers : {1, 4}) {
    for (const int prefetch : {1, 3, 16}) {
      config.workers = workers;
      config.prefetch = prefetch;
      const std::vector<Batch> batches = take(50, config, 30);
      for (std::size_t i = 0; i < 30; ++i) expect_same(batches[i], reference[i]);
    }
  }
}

TEST(Loader, ResumesAtAnyBatch) {
  const std::vector<Batch> reference = take(50, augmented(), 30);
  for (const int start : {1, 6, 7, 20}) {
    LoaderConfig config = augmented();
    config.start = reference[static_cast<std::size_t>(start)].position;
    config.workers = 3;
    const std::vector<Batch> batches = take(50, config, 30 - start);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      expect_same(batches[i], reference[static_cast<std::size_t>(start) + i]);
    }
  }
}

TEST(Loader, ReadsAheadNoFurtherThanAllowed) {
  const auto dataset = std::make_shared<Counting>(1000);
  Loader loader(dataset, {.batch_size = 10, .workers = 4, .prefetch = 3});
  loader.next();
  for (int wait = 0; wait < 10000 && dataset->loads < 40; ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(dataset->loads, 10 + 3 * 10);
}

TEST(Loader, HandsAWorkersErrorToTheCallerInItsTurn) {
  const auto dataset = std::make_shared<Counting>(100);
  dataset->broken = 57;
  for (const int workers : {0, 1, 4}) {
    Loader loader(dataset, {.batch_size = 10, .shuffle = false, .workers = workers, .prefetch = 8});
    EXPECT_EQ(take(loader, 5).size(), 5U);
    for (int again = 0; again < 2; ++again) {
      EXPECT_EQ(error_of<FileError>([&] { loader.next(); }), "sample.png: byte 3: broken");
    }
  }
}

TEST(Loader, EndsAndStaysAtTheEnd) {
  Loader loader(std::make_shared<Counting>(4), {.batch_size = 2, .epochs = 1});
  EXPECT_EQ(take(loader, 9).size(), 2U);
  EXPECT_FALSE(loader.next());
  EXPECT_EQ(loader.position(), (LoaderPosition{1, 0}));
}

TEST(Loader, CanBeDestroyedAtAnyTime) {
  for (int taken = 0; taken < 8; ++taken) {
    Loader loader(std::make_shared<Counting>(64), {.batch_size = 4, .workers = 4, .prefetch = 2});
    take(loader, taken);
  }
}

TEST(Loader, NamesTheSettingThatIsWrong) {
  const auto error = [](const LoaderConfig& config) {
    return error_of<InputError>([&] { Loader loader(std::make_shared<Counting>(10), config); });
  };
  EXPECT_THAT(error({.batch_size = 0}), HasSubstr("batch size: found 0"));
  EXPECT_THAT(error({.batch_size = 11, .drop_last = true}), HasSubstr("leaves no batch"));
  EXPECT_THAT(error({.batch_size = 5, .start = {0, 2}}), HasSubstr("batch 2 of an epoch of 2"));
  EXPECT_THAT(error({.start = {-1, 0}}), HasSubstr("epochs"));
  EXPECT_THAT(error({.workers = -1}), HasSubstr("workers"));
  EXPECT_THAT(error({.prefetch = 0}), HasSubstr("prefetch"));
  EXPECT_THAT(error({.views = {{.augmentation = {.crop_width = 9}}}}), HasSubstr("augmentation"));
  EXPECT_THAT(error_of<InputError>([] { Loader loader(std::make_shared<Counting>(0), {}); }), HasSubstr("0 samples"));
}

}  // namespace
}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Loader: batches of a source in an order that depends on (seed, epoch) alone, made ahead of time by worker threads.
// Neither the order nor any bit of a batch depends on the number of workers, on the prefetch depth, or on where the
// loader was started. One thread takes batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/data/batch.h"

namespace chiasm {

// The order of the samples in an epoch: a permutation of 0..size-1 (Fisher-Yates with counter-based random numbers).
std::vector<std::int32_t> epoch_order(std::uint64_t seed, std::uint32_t epoch, std::int64_t size);

struct LoaderConfig {
  std::int64_t batch_size = 1;
  std::uint64_t seed = 0;
  bool shuffle = true;  // otherwise samples come in the order of the source
  // Leave out what remains of an epoch after the last whole batch. Otherwise the last batch of an epoch may be smaller.
  bool drop_last = false;
  std::int64_t epochs = 0;  // stop before this epoch; 0: never
  int workers = 1;          // 0: batches are made by the thread that takes them
  int prefetch = 4;         // batches made ahead, at most
  // What batches hold, see BatchMaker.
  std::vector<ImageShow> views = {};
  std::optional<std::vector<std::string>> tensors = {};
  LoaderPosition start = {};
};

class Loader {
 public:
  // Throws InputError when a setting is impossible. At most 2^31 - 1 samples.
  Loader(std::shared_ptr<const Source> source, LoaderConfig config);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  const Fields& fields() const;  // of one sample in a batch
  std::int64_t batches_per_epoch() const;
  // Of the batch that next() will return.
  LoaderPosition position() const;

  // The next batch; epochs follow each other. Nothing after the last epoch. Throws what loading one of its samples
  // threw, again on each call: there is no way past a sample that cannot be read.
  std::optional<Batch> next();

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace chiasm

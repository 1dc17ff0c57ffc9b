// SPDX-License-Identifier: Apache-2.0
#include "engine/data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <system_error>
#include <thread>

#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

using Order = std::shared_ptr<const std::vector<std::int32_t>>;

void check(bool holds, const std::string& what) {
  if (!holds) throw InputError("loader: " + what);
}

}  // namespace

std::vector<std::int32_t> epoch_order(std::uint64_t seed, std::uint32_t epoch, std::int64_t size) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  const RandomStream random({.seed = seed, .purpose = RandomPurpose::kShuffle, .epoch = epoch});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i, i)]);
  return order;
}

// Batches are numbered through all epochs ("tickets"). Workers take tickets in order, at most `prefetch` ahead of the
// caller, and put the result where the caller looks for it.
class Loader::Work {
 public:
  Work(std::shared_ptr<const Source> source, LoaderConfig config)
      : maker_(std::move(source), config.views, config.tensors, config.seed), config_(std::move(config)) {
    const std::int64_t size = maker_.source().size();
    check(config_.batch_size >= 1,
          "batch size: found " + std::to_string(config_.batch_size) + ", 1 or more is allowed");
    check(size >= 1 && size <= std::numeric_limits<std::int32_t>::max(),
          "data set: found " + std::to_string(size) + " samples, 1 to 2^31 - 1 are allowed");
    check(!config_.drop_last || config_.batch_size <= size, "batch size " + std::to_string(config_.batch_size) +
                                                                " with drop_last leaves no batch of " +
                                                                std::to_string(size) + " samples");
    per_epoch_ = config_.drop_last ? size / config_.batch_size : (size - 1) / config_.batch_size + 1;
    const LoaderPosition& start = config_.start;
    constexpr std::int64_t kMostEpochs = std::numeric_limits<std::uint32_t>::max();
    check(start.epoch >= 0 && start.epoch <= kMostEpochs && config_.epochs >= 0 && config_.epochs <= kMostEpochs,
          "epochs are 0 to 2^32 - 1");
    check(start.batch >= 0 && start.batch < per_epoch_,
          "start: batch " + std::to_string(start.batch) + " of an epoch of " + std::to_string(per_epoch_));
    check(config_.workers >= 0 && config_.workers <= 1024, "0 to 1024 workers are allowed");
    check(config_.prefetch >= 1 && config_.prefetch <= 1 << 20, "prefetch is 1 to 2^20 batches");
    wanted_ = taken_ = start.epoch * per_epoch_ + start.batch;
    end_ = (config_.epochs == 0 ? kMostEpochs + 1 : config_.epochs) * per_epoch_;
    threads_.reserve(static_cast<std::size_t>(config_.workers));
    try {
      for (int i = 0; i < config_.workers; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      stop();
      throw SystemError(std::string("loader: cannot start a thread: ") + error.what());
    }
  }
  ~Work() { stop(); }

  const Fields& fields() const { return maker_.fields(); }
  std::int64_t batches_per_epoch() const { return per_epoch_; }
  LoaderPosition position() const { return {wanted_ / per_epoch_, wanted_ % per_epoch_}; }

  std::optional<Batch> next() {
    if (wanted_ >= end_) return std::nullopt;
    if (threads_.empty()) {
      Batch batch = make(wanted_);
      ++wanted_;
      return batch;
    }
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return results_.contains(wanted_); });
    Result& result = results_.at(wanted_);
    if (result.error) std::rethrow_exception(result.error);
    Batch batch = std::move(result.batch);
    results_.erase(wanted_);
    ++wanted_;
    room_.notify_one();
    return batch;
  }

 private:
  struct Result {
    Batch batch;
    std::exception_ptr error;
  };

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [this] { return stopping_ || (taken_ < end_ && taken_ < wanted_ + config_.prefetch); });
      if (stopping_) return;
      const std::int64_t ticket = taken_++;
      lock.unlock();
      Result result;
      try {
        result.batch = make(ticket);
      } catch (...) {
        result.error = std::current_exception();
      }
      lock.lock();
      results_.emplace(ticket, std::move(result));
      done_.notify_one();
    }
  }

  Batch make(std::int64_t ticket) {
    const LoaderPosition position{ticket / per_epoch_, ticket % per_epoch_};
    const auto epoch = static_cast<std::uint32_t>(position.epoch);
    const Order order = order_of(epoch);
    const std::int64_t first = position.batch * config_.batch_size;
    std::vector<std::int32_t> indices(
        static_cast<std::size_t>(std::min(config_.batch_size, maker_.source().size() - first)));
    if (order) {
      std::copy_n(order->begin() + first, indices.size(), indices.begin());
    } else {
      std::iota(indices.begin(), indices.end(), static_cast<std::int32_t>(first));
    }
    Batch batch = maker_.make(indices, epoch);
    batch.position = position;
    return batch;
  }

  // Null when samples keep their order.
  Order order_of(std::uint32_t epoch) {
    if (!config_.shuffle) return nullptr;
    const std::lock_guard lock(orders_mutex_);
    Order& order = orders_[epoch];
    if (!order) {
      order =
          std::make_shared<const std::vector<std::int32_t>>(epoch_order(config_.seed, epoch, maker_.source().size()));
      // Workers are at most a few epochs apart; should an old one be asked for again, it is made again.
      const Order keep = order;
      while (orders_.size() > 4) orders_.erase(orders_.begin());
      return keep;
    }
    return order;
  }

  const BatchMaker maker_;
  const LoaderConfig config_;
  std::int64_t per_epoch_ = 0;
  std::int64_t end_ = 0;  // ticket after the last

  std::mutex mutex_;  // guards what follows; wanted_ is written by the caller's thread only
  std::condition_variable room_, done_;
  std::int64_t wanted_ = 0;  // ticket the caller takes next
  std::int64_t taken_ = 0;   // ticket a worker takes next
  bool stopping_ = false;
  std::map<std::int64_t, Result> results_;

  std::mutex orders_mutex_;
  std::map<std::uint32_t, Order> orders_;
  std::vector<std::thread> threads_;
};

Loader::Loader(std::shared_ptr<const Source> source, LoaderConfig config)
    : work_(std::make_unique<Work>(std::move(source), std::move(config))) {}
Loader::~Loader() = default;
const Fields& Loader::fields() const { return work_->fields(); }
std::int64_t Loader::batches_per_epoch() const { return work_->batches_per_epoch(); }
LoaderPosition Loader::position() const { return work_->position(); }
std::optional<Batch> Loader::next() { return work_->next(); }

}  // namespace chiasm

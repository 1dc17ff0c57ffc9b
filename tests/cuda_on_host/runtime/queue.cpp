// SPDX-License-Identifier: Apache-2.0
// The work that streams hold back, and in which order it runs at last.
#include <algorithm>

#include "tests/cuda_on_host/execution/order.h"
#include "tests/cuda_on_host/runtime/control.h"
#include "tests/cuda_on_host/runtime/state.h"

namespace cuda_on_host {
namespace {

// A host that never waits must not fill the memory.
constexpr std::size_t kMostPending = 4096;

// The failure's text, for threads that meet it later.
std::string& failure_text() {
  static std::string text;
  return text;
}

cudaError_t failure() { return state().failure == cudaSuccess ? cudaSuccess : fail(state().failure, failure_text()); }

void drop_everything() {
  for (auto& queue : state().queues) {
    for (ItemPtr& item : queue->items) {
      item->done = true;
      item->after.clear();
      item->task.run = nullptr;
    }
    queue->items.clear();
  }
  state().queues.clear();
  state().pending = 0;
}

ItemPtr missing(const Item& item) {
  for (const ItemPtr& other : item.after) {
    if (!other->done) return other;
  }
  return nullptr;
}

// REQUIRES: nothing that the item waits for is missing, and it is the first of its queue.
void run(const std::shared_ptr<Queue>& queue) {
  const ItemPtr item = queue->items.front();
  queue->items.pop_front();
  --state().pending;
  if (queue->items.empty()) std::erase(state().queues, queue);
  state().running = true;
  std::string wrong = item->task.run ? item->task.run() : std::string();
  state().running = false;
  item->done = true;
  item->after.clear();
  item->task.run = nullptr;
  if (!wrong.empty()) {
    state().failure = item->task.failure;
    failure_text() = item->task.title() + ": " + wrong;
    drop_everything();
  }
}

// The queue whose first item can run and has to, for `item` to run.
std::shared_ptr<Queue> needed_by(ItemPtr item) {
  for (;;) {
    std::shared_ptr<Queue> queue = item->queue.lock();
    const ItemPtr first = queue->items.front();
    const ItemPtr other = missing(*first);
    if (!other) return queue;
    item = other;
  }
}

// Those that can go on, from the one that has waited longest. Not empty while anything is pending.
std::vector<std::shared_ptr<Queue>> able_queues() {
  std::vector<std::shared_ptr<Queue>> able;
  for (const auto& queue : state().queues) {
    if (!missing(*queue->items.front())) able.push_back(queue);
  }
  return able;
}

std::shared_ptr<Queue> any(std::uint64_t turn) {
  const auto able = able_queues();
  return able[static_cast<std::size_t>(choose(static_cast<int>(able.size()), turn))];
}

// How the streams share the device while somebody waits for an item.
enum class Policy : std::uint8_t {
  kLazy,           // what the item needs runs, nothing else: shows a missing wait for a producer
  kYoungestFirst,  // the stream that got work last runs as far as it can: a consumer before its producer
  kOthersFirst,    // the other streams run ahead: whoever overwrites what the item reads
  kRandom,
};

Policy policy_of(std::uint64_t turn) {
  switch (order().kind) {
    case OrderKind::kForward:
      return Policy::kLazy;
    case OrderKind::kReverse:
      return Policy::kYoungestFirst;
    case OrderKind::kAlternating:
      return static_cast<Policy>(turn % 3);
    case OrderKind::kShuffled:
      break;
  }
  return static_cast<Policy>(random_below(4));
}

std::shared_ptr<Queue> next_queue(Policy policy, const ItemPtr& item, std::uint64_t turn) {
  if (policy == Policy::kLazy) return needed_by(item);
  if (policy == Policy::kRandom) return any(turn);
  const auto able = able_queues();
  for (auto queue = able.rbegin(); queue != able.rend(); ++queue) {
    if (policy == Policy::kYoungestFirst || *queue != item->queue.lock()) return *queue;
  }
  return able.back();
}

}  // namespace

cudaError_t run_until(const ItemPtr& item) {
  if (failure() != cudaSuccess) return failure();
  if (!item || item->done) return cudaSuccess;
  const std::uint64_t turn = state().waits++;
  const Policy policy = policy_of(turn);
  const DeviceAccess access;
  while (!item->done) run(next_queue(policy, item, turn));
  return failure();
}

cudaError_t run_everything() {
  if (failure() != cudaSuccess) return failure();
  const std::uint64_t turn = state().waits++;
  const DeviceAccess access;
  while (!state().queues.empty()) run(any(turn));
  return failure();
}

void run_one() {
  if (state().queues.empty()) return;
  const DeviceAccess access;
  run(any(state().waits++));
}

cudaError_t enqueue_task(cudaStream_t handle, Task task, ItemPtr* item) {
  CUstream_st* stream = find_stream(handle);
  if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle, task.title() + ": no such stream");
  if (stream->capture) return add_node(*stream, std::move(task));
  State& all = state();
  CUstream_st* legacy = all.streams[0].get();
  auto made = std::make_shared<Item>();
  if (stream == legacy) {
    for (const auto& other : all.streams) {
      if (!other->blocking) continue;
      if (other->capture) {
        return invalidate(*other->capture, cudaErrorStreamCaptureImplicit,
                          task.title() + " on the default stream while a blocking stream captures");
      }
      if (other->queue->last && !other->queue->last->done) made->after.push_back(other->queue->last);
      // What that stream's next item would have waited for, this one does too.
      made->after.insert(made->after.end(), other->waits.begin(), other->waits.end());
    }
  } else if (stream->blocking && legacy->queue->last && !legacy->queue->last->done) {
    made->after.push_back(legacy->queue->last);
  }
  made->task = std::move(task);
  made->queue = stream->queue;
  made->after.insert(made->after.end(), stream->waits.begin(), stream->waits.end());
  stream->waits.clear();
  if (stream->queue->items.empty()) all.queues.push_back(stream->queue);
  stream->queue->items.push_back(made);
  stream->queue->last = made;
  ++all.pending;
  if (item != nullptr) *item = made;
  if (all.pending > kMostPending) run_one();
  return failure();
}

std::size_t pending_work() {
  const std::scoped_lock lock(state().mutex);
  return state().pending;
}

void clear_failure() {
  const std::scoped_lock lock(state().mutex);
  drop_everything();
  state().failure = cudaSuccess;
  failure_text().clear();
}

cudaError_t enqueue(cudaStream_t stream, std::string name, std::function<std::string()> run) {
  return api("a library", [&] {
    return enqueue_task(stream, {.type = cudaGraphNodeTypeKernel, .name = std::move(name), .run = std::move(run)});
  });
}

}  // namespace cuda_on_host

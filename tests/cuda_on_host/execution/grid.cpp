// SPDX-License-Identifier: Apache-2.0
#include "tests/cuda_on_host/execution/grid.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <vector>

#include "tests/cuda_on_host/device/threads.h"
#include "tests/cuda_on_host/execution/fiber.h"
#include "tests/cuda_on_host/execution/order.h"

uint3 threadIdx{0, 0, 0};
uint3 blockIdx{0, 0, 0};
dim3 blockDim;
dim3 gridDim;

namespace cuda_on_host {
namespace {

constexpr int kWarp = 32;

// Why a thread does not run.
enum class Wait : std::uint8_t { kNothing, kBlock, kWarpCall, kExited };

struct Thread {
  Wait wait = Wait::kNothing;
  Barrier barrier{};
  WarpCall call{};
  int predicate = 0;
  unsigned mask = 0;
  int from = 0;
  std::uint64_t bits = 0;  // given to a warp call, then its result
  Fiber* fiber = nullptr;  // where it continues
  std::source_location where;
};

constexpr std::align_val_t kSharedAlignment{128};
struct FreeShared {
  void operator()(void* memory) const { ::operator delete(memory, kSharedAlignment); }
};

std::string place(const std::source_location& where) {
  const std::string path = where.file_name();
  return " (" + path.substr(path.find_last_of('/') + 1) + ":" + std::to_string(where.line()) + ")";
}

const char* name_of(Barrier barrier) {
  switch (barrier) {
    case Barrier::kPlain:
      return "__syncthreads";
    case Barrier::kOr:
      return "__syncthreads_or";
    case Barrier::kAnd:
      return "__syncthreads_and";
    case Barrier::kCount:
      break;
  }
  return "__syncthreads_count";
}

const char* name_of(WarpCall call) {
  switch (call) {
    case WarpCall::kSync:
      return "__syncwarp";
    case WarpCall::kShuffle:
      return "__shfl_sync";
    case WarpCall::kShuffleUp:
      return "__shfl_up_sync";
    case WarpCall::kShuffleDown:
      return "__shfl_down_sync";
    case WarpCall::kShuffleXor:
      return "__shfl_xor_sync";
    case WarpCall::kBallot:
      return "a vote";
    case WarpCall::kMatchAny:
      break;
  }
  return "__match_any_sync";
}

std::string hex(unsigned value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x00000000";
  for (std::size_t i = text.size() - 1; value != 0; --i, value >>= 4) text[i] = kDigits[value & 15];
  return text;
}

// Leaves the kernel of a thread that cannot go on. The other threads of the block are forgotten where they wait.
struct Stop {};

// One block at a time; the object is kept between blocks for its stacks.
class Block {
 public:
  // The sizes and the body that the next blocks share.
  void prepare(const Grid& grid);
  std::string run(std::uint64_t number);

  int barrier(Barrier barrier, int predicate, std::source_location where);
  std::uint64_t warp_call(WarpCall call, unsigned mask, std::uint64_t bits, int from, std::source_location where);
  [[noreturn]] void fail(std::string why);
  void* shared() { return shared_.get(); }
  int lane() const { return current_ % kWarp; }
  int current() const { return current_; }

 private:
  static void work();
  void run_new_threads();
  void exit_thread();
  void suspend();
  void release_barrier();
  bool try_warp(int warp, const Thread& like);
  void recheck_warp(int warp);
  void make_ready(int thread);
  std::string describe_waiting() const;
  Fiber* idle_fiber();
  void abandon_fibers();

  const Grid* grid_ = nullptr;
  int count_ = 0;
  std::size_t shared_bytes_ = 0;
  std::unique_ptr<void, FreeShared> shared_;
  std::vector<uint3> places_;  // threadIdx of each thread

  std::vector<Thread> threads_;
  std::vector<unsigned> alive_;    // of each warp: the lanes that have not returned
  std::vector<int> warp_waiting_;  // of each warp: how many lanes wait in a warp call
  std::vector<int> order_, release_order_, lane_order_;
  int next_ = 0;  // in order_: the first thread that has not started
  std::vector<int> ready_;
  std::size_t next_ready_ = 0;
  int exited_ = 0, at_barrier_ = 0;
  int current_ = 0;
  std::uint64_t turn_ = 0;
  bool ready_first_ = true;
  bool failed_ = false;
  std::string failure_;

  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  Fiber* running_ = nullptr;
};

Block& block() {
  static Block* kept = new Block;  // never destroyed: destructors of other objects may still launch
  return *kept;
}

void Block::prepare(const Grid& grid) {
  grid_ = &grid;
  const dim3 size = grid.block;
  count_ = static_cast<int>(size.x * size.y * size.z);
  places_.clear();
  for (unsigned z = 0; z < size.z; ++z) {
    for (unsigned y = 0; y < size.y; ++y) {
      for (unsigned x = 0; x < size.x; ++x) places_.push_back({x, y, z});
    }
  }
  // A new piece of memory for each launch, exactly as large as asked, so that AddressSanitizer knows its end.
  shared_.reset();
  shared_bytes_ = grid.shared_bytes;
  if (shared_bytes_ != 0) shared_.reset(::operator new(shared_bytes_, kSharedAlignment));
  if (threads_.size() < static_cast<std::size_t>(count_)) threads_.resize(static_cast<std::size_t>(count_));
  blockDim = grid.block;
  gridDim = grid.grid;
}

Fiber* Block::idle_fiber() {
  if (idle_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(&Block::work, fibers_.size()));
    return fibers_.back().get();
  }
  Fiber* fiber = idle_.back();
  idle_.pop_back();
  return fiber;
}

std::string Block::run(std::uint64_t number) {
  const int warps = (count_ + kWarp - 1) / kWarp;
  turn_ = number;
  arrange(order_, count_, turn_);
  next_ = exited_ = at_barrier_ = 0;
  ready_.clear();
  next_ready_ = 0;
  failed_ = false;
  alive_.assign(static_cast<std::size_t>(warps), 0xffffffffu);
  if (count_ % kWarp != 0) alive_.back() = (1u << count_ % kWarp) - 1;
  warp_waiting_.assign(static_cast<std::size_t>(warps), 0);
  for (int i = 0; i < count_; ++i) threads_[i].wait = Wait::kNothing;
  if (shared_bytes_ != 0) std::memset(shared_.get(), 0xff, shared_bytes_);

  // Within a block, a warp that can go on runs ahead of the threads that have not started, or after them.
  ready_first_ = is_forward(turn_ / 2);
  while (!failed_) {
    const bool has_ready = next_ready_ < ready_.size(), has_new = next_ < count_;
    if (!has_ready && !has_new) break;
    if (has_ready && (ready_first_ || !has_new)) {
      const int thread = ready_[next_ready_++];
      if (next_ready_ == ready_.size()) {
        ready_.clear();
        next_ready_ = 0;
      }
      current_ = thread;
      threadIdx = places_[static_cast<std::size_t>(thread)];
      running_ = threads_[thread].fiber;
    } else {
      running_ = idle_fiber();
    }
    running_->resume();
  }
  if (!failed_ && exited_ < count_) {
    failed_ = true;
    failure_ = "deadlock: " + describe_waiting();
  }
  if (!failed_) return {};
  abandon_fibers();
  return failure_;
}

// The body of every fiber: starts threads until none is left, and waits to be needed again.
void Block::work() {
  for (;;) {
    block().run_new_threads();
    block().idle_.push_back(block().running_);
    Fiber::leave();
  }
}

void Block::run_new_threads() {
  try {
    while (next_ < count_) {
      current_ = order_[static_cast<std::size_t>(next_++)];
      threadIdx = places_[static_cast<std::size_t>(current_)];
      grid_->invoke(grid_->arguments);
      exit_thread();
      if (failed_) return;
      if (ready_first_ && next_ready_ < ready_.size()) return;
    }
    return;
  } catch (const Stop&) {
  } catch (const std::exception& error) {
    failure_ = std::string("a C++ exception left the kernel: ") + error.what();
  } catch (...) {
    failure_ = "a C++ exception left the kernel";
  }
  failed_ = true;
}

void Block::exit_thread() {
  threads_[current_].wait = Wait::kExited;
  ++exited_;
  const int warp = current_ / kWarp;
  alive_[warp] &= ~(1u << current_ % kWarp);
  if (warp_waiting_[warp] != 0) recheck_warp(warp);
  if (at_barrier_ != 0 && at_barrier_ + exited_ == count_) release_barrier();
}

void Block::make_ready(int thread) {
  threads_[thread].wait = Wait::kNothing;
  ready_.push_back(thread);
}

void Block::suspend() {
  const int self = current_;
  threads_[self].fiber = running_;
  Fiber::leave();
}

int Block::barrier(Barrier barrier, int predicate, std::source_location where) {
  Thread& self = threads_[current_];
  self.wait = Wait::kBlock;
  self.barrier = barrier;
  self.predicate = predicate != 0;
  self.where = where;
  ++at_barrier_;
  if (at_barrier_ + exited_ == count_) release_barrier();
  suspend();
  return self.predicate;
}

void Block::release_barrier() {
  arrange(release_order_, count_, ++turn_);
  int trues = 0;
  const Thread* first = nullptr;
  for (int thread : release_order_) {
    const Thread& waiting = threads_[thread];
    if (waiting.wait != Wait::kBlock) continue;
    if (first == nullptr) first = &waiting;
    // Barriers in different places are not one barrier, although some devices let them pass.
    if (waiting.barrier != first->barrier || waiting.where.line() != first->where.line() ||
        std::strcmp(waiting.where.file_name(), first->where.file_name()) != 0) {
      failed_ = true;
      failure_ = "threads wait at different barriers: " + describe_waiting();
      return;
    }
    trues += waiting.predicate;
  }
  const bool all = trues == at_barrier_;
  const Barrier barrier = first->barrier;
  at_barrier_ = 0;
  for (int thread : release_order_) {
    Thread& waiting = threads_[thread];
    if (waiting.wait != Wait::kBlock) continue;
    waiting.predicate = barrier == Barrier::kCount ? trues : barrier == Barrier::kOr ? trues != 0 : all;
    make_ready(thread);
  }
}

std::uint64_t Block::warp_call(WarpCall call, unsigned mask, std::uint64_t bits, int from, std::source_location where) {
  Thread& self = threads_[current_];
  if ((mask >> current_ % kWarp & 1) == 0) {
    fail("thread " + std::to_string(current_) + " calls " + name_of(call) + " with mask " + hex(mask) +
         ", which does not name its own lane" + place(where));
  }
  const int warp = current_ / kWarp;
  self.wait = Wait::kWarpCall;
  self.call = call;
  self.mask = mask;
  self.bits = bits;
  self.from = from;
  self.where = where;
  ++warp_waiting_[warp];
  try_warp(warp, self);
  suspend();
  return self.bits;
}

// Completes the call that `like` makes when no lane is missing.
bool Block::try_warp(int warp, const Thread& like) {
  const int start = warp * kWarp;
  const unsigned mask = like.mask, needed = mask & alive_[warp];
  const WarpCall call = like.call;
  for (unsigned left = needed; left != 0; left &= left - 1) {
    const Thread& lane = threads_[start + __builtin_ctz(left)];
    if (lane.wait != Wait::kWarpCall || lane.call != call || lane.mask != mask) return false;
  }
  // The results of all lanes, before any of them goes on.
  std::uint64_t given[kWarp];
  for (unsigned left = needed; left != 0; left &= left - 1) {
    const int lane = __builtin_ctz(left);
    given[lane] = threads_[start + lane].bits;
  }
  unsigned ballot = 0;
  for (unsigned left = needed; left != 0; left &= left - 1) {
    const int lane = __builtin_ctz(left);
    ballot |= static_cast<unsigned>(given[lane] != 0) << lane;
  }
  for (unsigned left = needed; left != 0; left &= left - 1) {
    const int lane = __builtin_ctz(left);
    Thread& thread = threads_[start + lane];
    if (call == WarpCall::kBallot) {
      thread.bits = ballot;
    } else if (call == WarpCall::kMatchAny) {
      thread.bits = 0;
      for (unsigned other = needed; other != 0; other &= other - 1) {
        const int index = __builtin_ctz(other);
        thread.bits |= static_cast<std::uint64_t>(given[index] == given[lane]) << index;
      }
    } else if (call != WarpCall::kSync) {
      thread.bits = needed >> thread.from & 1 ? given[thread.from] : ~std::uint64_t{0};
    }
  }
  arrange(lane_order_, kWarp, ++turn_);
  for (int lane : lane_order_) {
    if (needed >> lane & 1) {
      make_ready(start + lane);
      --warp_waiting_[warp];
    }
  }
  return true;
}

// A lane returned: the others may have waited for no one else.
void Block::recheck_warp(int warp) {
  for (int lane = 0; lane < kWarp && warp * kWarp + lane < count_; ++lane) {
    const Thread& thread = threads_[warp * kWarp + lane];
    if (thread.wait == Wait::kWarpCall) try_warp(warp, thread);
  }
}

void Block::fail(std::string why) {
  failed_ = true;
  failure_ = std::move(why);
  throw Stop{};
}

// Groups of threads that wait at the same place.
std::string Block::describe_waiting() const {
  std::map<std::string, std::vector<int>> groups;
  for (int i = 0; i < count_; ++i) {
    const Thread& thread = threads_[i];
    if (thread.wait == Wait::kBlock) groups[name_of(thread.barrier) + place(thread.where)].push_back(i);
    if (thread.wait == Wait::kWarpCall) {
      groups[name_of(thread.call) + (" with mask " + hex(thread.mask)) + place(thread.where)].push_back(i);
    }
  }
  std::string text;
  for (const auto& [what, members] : groups) {
    if (!text.empty()) text += "; ";
    text += members.size() == 1 ? "thread " : "threads ";
    std::string list;
    int ranges = 0;
    for (std::size_t i = 0; i < members.size();) {
      std::size_t end = i + 1;
      while (end < members.size() && members[end] == members[end - 1] + 1) ++end;
      if (++ranges > 8) {
        list += ", ...";
        break;
      }
      list += (list.empty() ? "" : ", ") + std::to_string(members[i]);
      if (end - i > 1) list += "-" + std::to_string(members[end - 1]);
      i = end;
    }
    text += list + (members.size() == 1 ? " waits at " : " wait at ") + what;
  }
  if (exited_ != 0) text += "; " + std::to_string(exited_) + " of " + std::to_string(count_) + " threads returned";
  return text;
}

void Block::abandon_fibers() {
  idle_.clear();
  for (auto& fiber : fibers_) {
    fiber->restart();
    idle_.push_back(fiber.get());
  }
}

}  // namespace

void* dynamic_shared() { return block().shared(); }
int lane() { return block().lane(); }

int block_barrier(Barrier barrier, int predicate, std::source_location where) {
  return block().barrier(barrier, predicate, where);
}

std::uint64_t warp_call(WarpCall call, unsigned mask, std::uint64_t bits, int from, std::source_location where) {
  return block().warp_call(call, mask, bits, from, where);
}

void fail_kernel(const char* why, std::source_location where) {
  block().fail("thread " + std::to_string(block().current()) + ": " + why + place(where));
}

void require_width(int width, std::source_location where) {
  if (width >= 1 && width <= kWarp && (width & (width - 1)) == 0) return;
  fail_kernel("the width of a shuffle must be a power of two up to 32", where);
}

std::string run_grid(const Grid& grid) {
  static std::uint64_t launches = 0;
  const std::uint64_t launch = launches++;
  block().prepare(grid);
  const std::uint64_t count = std::uint64_t{grid.grid.x} * grid.grid.y * grid.grid.z;
  // Every stride that is coprime to the count visits each block once: a random order that needs no list.
  const bool forward = is_forward(launch);
  std::uint64_t stride = 1, at = forward ? 0 : count - 1;
  if (order().kind == OrderKind::kShuffled) {
    const auto coprime = [&](std::uint64_t a) {
      std::uint64_t b = count;
      while (b != 0) std::swap(a %= b, b);
      return a == 1;
    };
    at = random_below(count);
    do stride = 1 + random_below(count);
    while (!coprime(stride));
  } else if (!forward) {
    stride = count - 1;
  }
  for (std::uint64_t done = 0; done < count; ++done, at = (at + stride) % count) {
    blockIdx = {static_cast<unsigned>(at % grid.grid.x), static_cast<unsigned>(at / grid.grid.x % grid.grid.y),
                static_cast<unsigned>(at / grid.grid.x / grid.grid.y)};
    const std::string failure = block().run(launch + done);
    if (failure.empty()) continue;
    return "block (" + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " +
           std::to_string(blockIdx.z) + "): " + failure;
  }
  return {};
}

}  // namespace cuda_on_host

// SPDX-License-Identifier: Apache-2.0
// What a kernel knows of its place in the grid, and how its threads wait for and talk to one another. Every place where
// a thread can wait remembers its line, for the message when it waits for ever.
#pragma once

#include <cstdint>
#include <cstring>
#include <source_location>

#include "tests/cuda_on_host/device/vector_types.h"

// One device thread runs at a time, so that these are plain variables.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
inline constexpr int warpSize = 32;

namespace cuda_on_host {

// The dynamic shared memory of the block: exactly as many bytes as the launch asked for, every one of them 0xff when
// the block starts.
void* dynamic_shared();

enum class Barrier : std::uint8_t { kPlain, kOr, kAnd, kCount };
// Waits for every thread of the block that has not returned; the combination of their predicates.
int block_barrier(Barrier barrier, int predicate, std::source_location where);

enum class WarpCall : std::uint8_t { kSync, kShuffle, kShuffleUp, kShuffleDown, kShuffleXor, kBallot, kMatchAny };
// Waits until every lane of `mask` that has not returned makes the same call with the same mask. kShuffle: the bits
// that lane `from` gave, all ones where that lane takes no part. kBallot: the lanes that gave a value other than zero.
// kMatchAny: the lanes that gave the same value.
std::uint64_t warp_call(WarpCall call, unsigned mask, std::uint64_t bits, int from, std::source_location where);

int lane();

// Ends the kernel with an error, as __trap() does.
[[noreturn]] void fail_kernel(const char* why, std::source_location where);

template <class T>
T shuffle(WarpCall call, unsigned mask, T value, int from, std::source_location where) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = warp_call(call, mask, bits, from, where);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

// The first lane of the group of `width` lanes that `self` belongs to. REQUIRES: width is a power of two up to 32.
inline int group_start(int self, int width) { return self & ~(width - 1); }
void require_width(int width, std::source_location where);

}  // namespace cuda_on_host

inline void __syncthreads(std::source_location where = std::source_location::current()) {
  cuda_on_host::block_barrier(cuda_on_host::Barrier::kPlain, 0, where);
}
inline int __syncthreads_or(int predicate, std::source_location where = std::source_location::current()) {
  return cuda_on_host::block_barrier(cuda_on_host::Barrier::kOr, predicate, where);
}
inline int __syncthreads_and(int predicate, std::source_location where = std::source_location::current()) {
  return cuda_on_host::block_barrier(cuda_on_host::Barrier::kAnd, predicate, where);
}
inline int __syncthreads_count(int predicate, std::source_location where = std::source_location::current()) {
  return cuda_on_host::block_barrier(cuda_on_host::Barrier::kCount, predicate, where);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, std::source_location where = std::source_location::current()) {
  cuda_on_host::warp_call(cuda_on_host::WarpCall::kSync, mask, 0, 0, where);
}

// A lane outside the group keeps the caller's own value: below the group for _up, beyond it for _down and _xor; the
// plain shuffle takes the lane modulo the width.
template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = warpSize,
              std::source_location where = std::source_location::current()) {
  cuda_on_host::require_width(width, where);
  const int start = cuda_on_host::group_start(cuda_on_host::lane(), width);
  return cuda_on_host::shuffle(cuda_on_host::WarpCall::kShuffle, mask, value, start + (from & (width - 1)), where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                 std::source_location where = std::source_location::current()) {
  cuda_on_host::require_width(width, where);
  const int self = cuda_on_host::lane();
  const int from = self - static_cast<int>(delta & 31u);
  const bool outside = from < cuda_on_host::group_start(self, width);
  return cuda_on_host::shuffle(cuda_on_host::WarpCall::kShuffleUp, mask, value, outside ? self : from, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                   std::source_location where = std::source_location::current()) {
  cuda_on_host::require_width(width, where);
  const int self = cuda_on_host::lane();
  const int from = self + static_cast<int>(delta & 31u);
  const bool outside = from >= cuda_on_host::group_start(self, width) + width;
  return cuda_on_host::shuffle(cuda_on_host::WarpCall::kShuffleDown, mask, value, outside ? self : from, where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = warpSize,
                  std::source_location where = std::source_location::current()) {
  cuda_on_host::require_width(width, where);
  const int self = cuda_on_host::lane();
  const int from = self ^ (lanes & 31);
  const bool outside = from >= cuda_on_host::group_start(self, width) + width;
  return cuda_on_host::shuffle(cuda_on_host::WarpCall::kShuffleXor, mask, value, outside ? self : from, where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              std::source_location where = std::source_location::current()) {
  return static_cast<unsigned>(
      cuda_on_host::warp_call(cuda_on_host::WarpCall::kBallot, mask, predicate != 0, 0, where));
}
inline int __any_sync(unsigned mask, int predicate, std::source_location where = std::source_location::current()) {
  return __ballot_sync(mask, predicate, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate, std::source_location where = std::source_location::current()) {
  return __ballot_sync(mask, predicate == 0, where) == 0;
}
template <class T>
unsigned __match_any_sync(unsigned mask, T value, std::source_location where = std::source_location::current()) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return static_cast<unsigned>(cuda_on_host::warp_call(cuda_on_host::WarpCall::kMatchAny, mask, bits, 0, where));
}
// CUDA promises no more than that the calling lane is among the active ones.
inline unsigned __activemask() { return 1u << cuda_on_host::lane(); }

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void __nanosleep(unsigned) {}
[[noreturn]] inline void __trap(std::source_location where = std::source_location::current()) {
  cuda_on_host::fail_kernel("__trap()", where);
}

// SPDX-License-Identifier: Apache-2.0
// CpuStream: where CPU kernels run. It says how many threads to use, cuts loops into pieces for them, and lends the
// scratch memory that an op declared. One stream is used by one caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "kernels/error.h"

namespace chiasm {

class CpuStream {
 public:
  // threads = 0: one per core this process may use. With `deterministic`, kernels cut their work so that the bits of a
  // result do not depend on the number of threads.
  explicit CpuStream(int threads = 0, bool deterministic = false);

  int threads() const { return threads_; }
  bool deterministic() const { return deterministic_; }

  // Calls body(begin, end) on disjoint pieces that cover [0, count), possibly at once. Where pieces end depends on the
  // number of threads, so what body computes for an index must not depend on its piece. Loops of at most `grain` indices
  // run on the calling thread.
  template <class Body>
  void parallel_for(std::int64_t count, std::int64_t grain, Body&& body) const {
    if (count <= 0) return;
    if (threads_ == 1 || count <= grain) {
      body(std::int64_t{0}, count);
      return;
    }
    using Raw = std::remove_reference_t<Body>;
    run_pieces(count, grain, const_cast<void*>(static_cast<const void*>(&body)),
               [](void* self, std::int64_t begin, std::int64_t end) { (*static_cast<Raw*>(self))(begin, end); });
  }

  // Calls body(index) once for each index in [0, count), each call on one thread, with library calls inside it also kept to
  // that thread. This is how deterministic work is cut: `count` must not depend on the number of threads.
  template <class Body>
  void parallel_tasks(std::int64_t count, Body&& body) const {
    using Raw = std::remove_reference_t<Body>;
    run_tasks(count, const_cast<void*>(static_cast<const void*>(&body)),
              [](void* self, std::int64_t begin, std::int64_t) { (*static_cast<Raw*>(self))(begin); });
  }

  // Scratch memory of the running op, 64-byte aligned. Its content is arbitrary on entry.
  // REQUIRES: the op declared at least `bytes`.
  std::byte* workspace(std::int64_t bytes) const;
  void lend_workspace(std::span<std::byte> bytes) { workspace_ = bytes; }

 private:
  using Piece = void (*)(void*, std::int64_t, std::int64_t);
  void run_pieces(std::int64_t count, std::int64_t grain, void* self, Piece piece) const;
  void run_tasks(std::int64_t count, void* self, Piece piece) const;

  int threads_;
  bool deterministic_;
  std::span<std::byte> workspace_;
};

class CudaStream;

}  // namespace chiasm

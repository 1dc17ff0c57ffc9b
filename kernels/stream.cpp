// SPDX-License-Identifier: Apache-2.0
#include "kernels/stream.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <string>

#include "kernels/vendor/library_threads.h"

namespace chiasm {
namespace {

// OpenMP may not be left by an exception; the first one is carried across and thrown again outside.
class ErrorCarrier {
 public:
  template <class Body>
  void run(Body&& body) {
    try {
      body();
    } catch (...) {
      if (!taken_.test_and_set()) error_ = std::current_exception();
    }
  }
  void rethrow() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::atomic_flag taken_ = ATOMIC_FLAG_INIT;
  std::exception_ptr error_;
};

}  // namespace

CpuStream::CpuStream(int threads, bool deterministic)
    : threads_(threads > 0 ? threads : omp_get_num_procs()), deterministic_(deterministic) {
  if (threads < 0) throw InputError("threads must be at least 0, found " + std::to_string(threads));
}

void CpuStream::run_pieces(std::int64_t count, std::int64_t grain, void* self, Piece piece) const {
  const std::int64_t pieces = std::min<std::int64_t>(threads_, (count + grain - 1) / grain);
  ErrorCarrier error;
#pragma omp parallel for num_threads(static_cast <int>(pieces)) schedule(static)
  for (std::int64_t i = 0; i < pieces; ++i) {
    error.run([&] { piece(self, count * i / pieces, count * (i + 1) / pieces); });
  }
  error.rethrow();
}

void CpuStream::run_tasks(std::int64_t count, void* self, Piece piece) const {
  if (count <= 1 || threads_ == 1) {  // waking other threads for nothing costs more than a small task
    const LibraryThreads one(1);
    for (std::int64_t i = 0; i < count; ++i) piece(self, i, i + 1);
    return;
  }
  ErrorCarrier error;
#pragma omp parallel num_threads(threads_)
  {
    // A team of one thread is not a parallel region to a library, which would start threads of its own. The setting
    // ends with the region.
    omp_set_num_threads(1);
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i) {
      error.run([&] { piece(self, i, i + 1); });
    }
  }
  error.rethrow();
}

std::byte* CpuStream::workspace(std::int64_t bytes) const {
  if (bytes > static_cast<std::int64_t>(workspace_.size())) {
    throw InternalError("an op asked for " + std::to_string(bytes) + " bytes of workspace and declared " +
                        std::to_string(workspace_.size()));
  }
  return workspace_.data();
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// How many threads OpenMP libraries (oneDNN, OpenBLAS) called from this thread use, for as long as the object lives.
// Costs two writes to thread-local memory.
#pragma once

#include <omp.h>

namespace chiasm {

class LibraryThreads {
 public:
  explicit LibraryThreads(int threads) : kept_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~LibraryThreads() { omp_set_num_threads(kept_); }
  LibraryThreads(const LibraryThreads&) = delete;
  LibraryThreads& operator=(const LibraryThreads&) = delete;

 private:
  int kept_;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Source: the units that a map predicts from, [stimuli, units], in memory or read from a file piece by piece.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "analysis/matrix.h"
#include "kernels/stream.h"

namespace chiasm {

// T is float or double. Copies share what was read and computed. Thread-safe. Values that are not finite are an error,
// NumericalError, that names the first of them by stimulus and unit; it is thrown where they are first looked at.
template <class T>
class Source {
 public:
  // Rows [first, first + count) of all units. Called from one thread at a time.
  using Reader = std::function<Matrix<T>(std::int64_t first, std::int64_t count)>;
  static constexpr std::int64_t kMostBytes = std::int64_t{2} << 30;

  Source() : Source(Matrix<T>()) {}
  explicit Source(Matrix<T> values);
  // What lies in `read` may be larger than memory: at most `most_bytes` of it are held at once (but one row at least),
  // except by values().
  Source(std::int64_t stimuli, std::int64_t units, Reader read, std::int64_t most_bytes = kMostBytes);

  std::int64_t stimuli() const;
  std::int64_t units() const;
  // Whether values() holds no more than the constructor allowed. Maps that need all features at once ask this first.
  bool fits() const;

  // All of it, kept from the first call on.
  const Matrix<T>& values(const CpuStream& stream) const;
  // A copy of some rows, in the order given. REQUIRES: they exist.
  Matrix<T> rows(std::span<const std::int64_t> indices) const;
  // Calls body(first, rows) on blocks of rows, in order, on this thread: one block for what lies in memory or may, and
  // otherwise blocks of at most `bytes` (0: as many as the constructor allowed), beginning with row `begin`.
  void for_each_block(const std::function<void(std::int64_t first, MatrixView<T> rows)>& body, std::int64_t bytes = 0,
                      std::int64_t begin = 0) const;
  std::int64_t most_bytes() const;

  // <x_i - m, x_k - m> for all stimuli i, k, with m the mean of all stimuli (so that little is cancelled when the mean
  // of some of them is taken off later); in double, computed once. A map that only depends on distances between
  // stimuli, such as PLS or ridge with fewer stimuli than units, needs nothing else.
  const Matrix<double>& gram(const CpuStream& stream) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace chiasm

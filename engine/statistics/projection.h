// SPDX-License-Identifier: Apache-2.0
// Projection: rows with many features to rows with few, y = (x - mean) * matrix, onto principal components or at
// random.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/statistics/pca.h"

namespace chiasm {

class Projection {
 public:
  static constexpr std::int64_t kMostStoredBytes = std::int64_t{256} << 20;

  // Onto the components of a PCA, whose tensors are shared.
  explicit Projection(const Pca& pca);
  // Independent normal entries of variance 1/outputs: distances are kept in expectation (Johnson and Lindenstrauss).
  // Entry (i, k) is a function of (seed, name, i, k) alone. A matrix of more than `most_stored_bytes` is never stored:
  // pieces of it are made again whenever they are needed.
  Projection(std::uint64_t seed, std::string_view name, std::int64_t features, std::int64_t outputs,
             std::int64_t most_stored_bytes = kMostStoredBytes);

  std::int64_t features() const { return features_; }
  std::int64_t outputs() const { return outputs_; }

  // Each of `x` is a dense floating matrix [rows, features]; its image goes to the same place of `out`, float32 [rows,
  // outputs]. Pieces of a matrix that is not stored are made once for all of `x`.
  void apply(const CpuStream& stream, std::span<const View> x, std::span<const MutableView> out) const;
  // Rows [first, first + rows) of the matrix [features, outputs], row-major.
  void matrix_rows(const CpuStream& stream, std::int64_t first, std::int64_t rows, float* out) const;

 private:
  std::int64_t features_, outputs_;
  Tensor mean_;        // float64 [features], or none
  Tensor components_;  // float32 [outputs, features], or none
  Tensor stored_;      // float32 [features, outputs], or none
  std::uint64_t seed_ = 0;
  std::uint32_t op_ = 0;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/statistics/projection.h"

#include <algorithm>
#include <cmath>

#include "engine/io/crc32.h"
#include "kernels/error.h"
#include "kernels/random/random_stream.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

// Features that are multiplied at once: a piece of the matrix of at most some megabytes.
constexpr std::int64_t kPieceValues = std::int64_t{1} << 20;
constexpr std::int64_t kMostPieceRows = 4096;

std::int64_t piece_rows(std::int64_t outputs) {
  return std::clamp<std::int64_t>(kPieceValues / std::max<std::int64_t>(outputs, 1), 16, kMostPieceRows);
}

}  // namespace

Projection::Projection(const Pca& pca)
    : features_(pca.components.shape()[1]),
      outputs_(pca.components.shape()[0]),
      mean_(pca.mean),
      components_(pca.components) {}

Projection::Projection(std::uint64_t seed, std::string_view name, std::int64_t features, std::int64_t outputs,
                       std::int64_t most_stored_bytes)
    : features_(features),
      outputs_(outputs),
      seed_(seed),
      op_(crc32(std::as_bytes(std::span(name.data(), name.size())))) {
  if (outputs < 1) throw InputError("a projection has 1 output or more, found " + std::to_string(outputs));
  const Spec spec{DType::kFloat32, {features, outputs}};
  if (spec.bytes() > most_stored_bytes) return;
  Tensor matrix(spec);
  matrix_rows(CpuStream(), 0, features, matrix.values<float>().data());
  stored_ = std::move(matrix);
}

void Projection::matrix_rows(const CpuStream& stream, std::int64_t first, std::int64_t rows, float* out) const {
  if (components_) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t k = 0; k < outputs_; ++k) {
        out[i * outputs_ + k] = components_.values<float>()[static_cast<std::size_t>(k * features_ + first + i)];
      }
    }
    return;
  }
  if (stored_) {
    std::copy_n(stored_.values<float>().data() + first * outputs_, rows * outputs_, out);
    return;
  }
  const RandomStream random({.seed = seed_, .purpose = RandomPurpose::kNoise, .op = op_});
  const double deviation = 1.0 / std::sqrt(static_cast<double>(outputs_));
  stream.parallel_for(rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin * outputs_; i < end * outputs_; ++i) {
      out[i] = static_cast<float>(deviation * random.normal(static_cast<std::uint64_t>(first * outputs_ + i)));
    }
  });
}

void Projection::apply(const CpuStream& stream, std::span<const View> x, std::span<const MutableView> out) const {
  const std::int64_t piece = std::min(piece_rows(outputs_), features_);
  std::vector<float> matrix(components_ || stored_ ? 0 : static_cast<std::size_t>(piece * outputs_));
  std::vector<float> centred;
  for (std::int64_t first = 0; first < features_; first += piece) {
    const std::int64_t count = std::min(piece, features_ - first);
    Factor<float> b{.data = matrix.data(), .stride = outputs_};
    if (components_) {
      b = {.data = components_.values<float>().data() + first, .stride = features_, .transposed = true};
    } else if (stored_) {
      b.data = stored_.values<float>().data() + first * outputs_;
    } else {
      matrix_rows(stream, first, count, matrix.data());
    }
    for (std::size_t at = 0; at < x.size(); ++at) {
      const std::int64_t rows = x[at].shape()[0];
      centred.resize(static_cast<std::size_t>(rows * count));
      visit_floating(x[at].dtype(), [&]<class T>() {
        for (std::int64_t i = 0; i < rows; ++i) {
          const T* from = x[at].as<T>() + i * features_ + first;
          for (std::int64_t k = 0; k < count; ++k) {
            const double shift = mean_ ? mean_.values<double>()[static_cast<std::size_t>(first + k)] : 0.0;
            centred[static_cast<std::size_t>(i * count + k)] = static_cast<float>(static_cast<double>(from[k]) - shift);
          }
        }
      });
      gemm(stream, rows, outputs_, count, {.data = centred.data(), .stride = count}, b, first == 0 ? 0.0F : 1.0F,
            out[at].as<float>(), outputs_);
    }
  }
}

}  // namespace chiasm

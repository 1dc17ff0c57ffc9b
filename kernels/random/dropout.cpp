// SPDX-License-Identifier: Apache-2.0
#include "kernels/random/dropout.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/random/random_stream.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kChunk = 4 * kPhiloxLanes;  // elements whose random words are made at once

RandomStream stream_of(const Dropout& dropout, std::int32_t epoch, std::int32_t sample) {
  return RandomStream({.seed = dropout.seed,
                       .purpose = RandomPurpose::kDropout,
                       .epoch = static_cast<std::uint32_t>(epoch),
                       .sample = static_cast<std::uint32_t>(sample),
                       .op = dropout.op});
}

std::int64_t row_of(const Shape& shape) {
  std::int64_t row = 1;
  for (int axis = 1; axis < shape.rank(); ++axis) row *= shape[axis];
  return row;
}

template <class T>
void drop_reference(const Dropout& dropout, const View& x, std::int32_t epoch, const View& sample,
                    const MutableView& y) {
  const std::int64_t row = row_of(x.shape());
  const T scale = static_cast<T>(1.0 / (1.0 - dropout.rate));
  std::int64_t index = 0;
  for_each_offset(
      x.shape(),
      [&](std::int64_t i, std::int64_t j) {
        const std::int32_t s = sample.as<std::int32_t>()[index / row * sample.strides()[0]];
        const double uniform = stream_of(dropout, epoch, s).uniform(static_cast<std::uint64_t>(index % row));
        y.as<T>()[j] = uniform < dropout.rate ? T(0) : x.as<T>()[i] * scale;
        ++index;
      },
      x.strides(), y.strides());
}

void drop_dense(const CpuStream& stream, const Dropout& dropout, const View& x, std::int32_t epoch, const View& sample,
                const MutableView& y) {
  const std::int64_t row = row_of(x.shape());
  const std::int64_t chunks = (row + kChunk - 1) / kChunk;
  const float scale = static_cast<float>(1.0 / (1.0 - dropout.rate));
  // uniform < rate, in whole steps of 2^-24.
  const auto limit = static_cast<std::uint32_t>(std::ceil(dropout.rate * 0x1p24));
  stream.parallel_for(x.shape()[0] * chunks, 64, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      alignas(64) std::uint32_t words[4][kPhiloxLanes];
      alignas(64) std::uint32_t element[kChunk];
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / chunks;
        const std::int64_t first = task % chunks * kChunk;
        const std::int64_t count = std::min(kChunk, row - first);
        const RandomStream random = stream_of(dropout, epoch, sample.as<std::int32_t>()[n * sample.strides()[0]]);
        random.blocks(static_cast<std::uint64_t>(first / 4), words);
        for (int i = 0; i < kPhiloxLanes; ++i) {
          for (int k = 0; k < 4; ++k) element[4 * i + k] = words[k][i];
        }
        const float* from = x.as<float>() + n * row + first;
        float* to = y.as<float>() + n * row + first;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) {
          // A mask of bits and not a choice, which would become a branch that nothing can predict.
          const std::uint32_t kept = (element[i] >> 8) < limit ? 0u : ~0u;
          to[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(from[i] * scale) & kept);
        }
      }
    });
  });
}

void drop(const CpuStream& stream, const Dropout& dropout, const View& x, Inputs in, const MutableView& y) {
  if (x.elements() == 0) return;
  const std::int32_t epoch = *in[1].as<std::int32_t>();
  if (x.dtype() == DType::kFloat32 && all_dense(x, y)) return drop_dense(stream, dropout, x, epoch, in[2], y);
  visit_floating(x.dtype(), [&]<class T>() { drop_reference<T>(dropout, x, epoch, in[2], y); });
}

}  // namespace

std::vector<Spec> Dropout::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 3);
  require_floating(kName, "x", in[0]);
  if (in[0].shape.rank() == 0) throw_shape(kName, "x needs a batch axis, found a scalar");
  require_dtype(kName, "epoch", in[1], DType::kInt32);
  require_shape(kName, "epoch", in[1], {1});
  require_dtype(kName, "sample", in[2], DType::kInt32);
  require_shape(kName, "sample", in[2], {in[0].shape[0]});
  if (!(rate >= 0.0 && rate < 1.0)) {
    throw InputError("[dropout] rate must lie in [0, 1), found " + std::to_string(rate));
  }
  return {in[0]};
}

void Dropout::forward(CpuStream& stream, Inputs in, Outputs out) const { drop(stream, *this, in[0], in, out[0]); }

void Dropout::backward(CpuStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  drop(stream, *this, dy, in, dx);
}

}  // namespace chiasm

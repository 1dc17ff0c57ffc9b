// SPDX-License-Identifier: Apache-2.0
#include "kernels/random/noise.h"

#include <algorithm>
#include <cmath>

#include "kernels/random/noise_stream.h"
#include "kernels/random/normal.h"
#include "kernels/random/random_stream.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

template <class T>
void fill_reference(const Noise& noise, const RandomStream& random, const MutableView& y) {
  const double scale = scale_of(noise);
  std::uint64_t index = 0;
  for_each_offset(
      y.shape(),
      [&](std::int64_t i) {
        const double unit =
            noise.distribution == Noise::kNormal ? random.normal(index) : symmetric_uniform(random.word(index));
        y.as<T>()[i] = static_cast<T>(scale * unit);
        ++index;
      },
      y.strides());
}

// chunk(first block, to) writes the kLength numbers of kPhiloxLanes blocks from the first on.
template <int kLength, class Chunk>
void fill_chunks(const CpuStream& stream, const MutableView& y, const Chunk& chunk) {
  const std::int64_t count = y.elements(), chunks = (count + kLength - 1) / kLength;
  stream.parallel_for(chunks, 32, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      alignas(64) float last[kLength];
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t first = task * kLength;
        float* to = y.as<float>() + first;
        const bool whole = first + kLength <= count;
        chunk(static_cast<std::uint64_t>(task) * kPhiloxLanes, whole ? to : last);
        if (!whole) std::copy_n(last, count - first, to);
      }
    });
  });
}

void fill_dense(const CpuStream& stream, const Noise& noise, const RandomStream& random, const MutableView& y) {
  const auto scale = static_cast<float>(scale_of(noise));
  if (noise.distribution == Noise::kNormal) {
    return fill_chunks<2 * kPhiloxLanes>(stream, y, [=](std::uint64_t block, float* to) CHIASM_INLINE_LAMBDA {
      alignas(64) std::uint32_t words[4][kPhiloxLanes];
      random.blocks(block, words);
#pragma GCC ivdep
      for (int i = 0; i < kPhiloxLanes; ++i) {
        const NormalPairFloat pair = normal_pair(words[0][i], words[1][i], words[2][i], words[3][i]);
        to[2 * i] = scale * pair.value[0];
        to[2 * i + 1] = scale * pair.value[1];
      }
    });
  }
  fill_chunks<4 * kPhiloxLanes>(stream, y, [=](std::uint64_t block, float* to) CHIASM_INLINE_LAMBDA {
    alignas(64) std::uint32_t words[4][kPhiloxLanes];
    random.blocks(block, words);
#pragma GCC ivdep
    for (int i = 0; i < kPhiloxLanes; ++i) {
      for (int k = 0; k < 4; ++k) to[4 * i + k] = scale * symmetric_uniform(words[k][i]);
    }
  });
}

}  // namespace

std::vector<Spec> Noise::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  require_dtype(kName, "draw", in[0], DType::kInt32);
  require_shape(kName, "draw", in[0], {});
  const Spec result{dtype, shape};
  require_floating(kName, "the result", result);
  if (!(deviation >= 0.0 && std::isfinite(deviation))) {
    throw InputError("[noise] deviation must be finite and at least 0, found " + std::to_string(deviation));
  }
  return {result};
}

void Noise::forward(CpuStream& stream, Inputs in, Outputs out) const {
  if (out[0].elements() == 0) return;
  const RandomStream random = stream_of(*this, static_cast<std::uint32_t>(*in[0].as<std::int32_t>()));
  if (dtype == DType::kFloat32 && all_dense(out)) return fill_dense(stream, *this, random, out[0]);
  visit_floating(dtype, [&]<class T>() { fill_reference<T>(*this, random, out[0]); });
}

}  // namespace chiasm

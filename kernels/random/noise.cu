// SPDX-License-Identifier: Apache-2.0
// Noise on CUDA. A thread makes four neighbouring numbers: of one Philox block when they are uniform, of two when they
// are normal (normal.h, whose error bound holds whether or not products and sums are contracted). The uniform numbers
// have the bits of the CPU; normal ones are within 8 ulp of float64, as noise.h says. Nothing is read but the draw.
#include <cstdint>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/random/noise.h"
#include "kernels/random/noise_stream.h"
#include "kernels/random/normal.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kNumbers = 4;

struct UniformNumbers {
  __device__ static Float4 make(const RandomStream& random, std::uint64_t group) {
    const PhiloxBlock block = random.block(group);
    Float4 numbers;
    for (int k = 0; k < kNumbers; ++k) numbers.value[k] = symmetric_uniform(block.word[k]);
    return numbers;
  }
};

struct NormalNumbers {
  __device__ static Float4 make(const RandomStream& random, std::uint64_t group) {
    Float4 numbers;
    for (int half = 0; half < 2; ++half) {
      const PhiloxBlock block = random.block(2 * group + static_cast<std::uint64_t>(half));
      const NormalPairFloat pair = normal_pair(block.word[0], block.word[1], block.word[2], block.word[3]);
      numbers.value[2 * half] = pair.value[0];
      numbers.value[2 * half + 1] = pair.value[1];
    }
    return numbers;
  }
};

template <class Numbers>
__global__ void __launch_bounds__(kThreads) make_noise(const RandomStream numbers, const std::int32_t* draw,
                                                       float scale, float* y, std::int64_t count, bool aligned) {
  const std::int64_t group = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const std::int64_t first = group * kNumbers;
  if (first >= count) return;
  Float4 values = Numbers::make(numbers.at(static_cast<std::uint32_t>(*draw), 0), static_cast<std::uint64_t>(group));
  for (int k = 0; k < kNumbers; ++k) values.value[k] *= scale;
  store_pack(y + first, values, count - first, aligned);
}

// The float64 numbers, which float32 is compared with. One thread each.
__global__ void __launch_bounds__(kThreads)
    make_reference_noise(const RandomStream numbers, const std::int32_t* draw, bool normal, double scale, double* y,
                         std::int64_t count) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const RandomStream random = numbers.at(static_cast<std::uint32_t>(*draw), 0);
  const auto index = static_cast<std::uint64_t>(i);
  y[i] = scale * (normal ? random.normal(index) : static_cast<double>(symmetric_uniform(random.word(index))));
}

}  // namespace

void Noise::forward(CudaStream& stream, Inputs in, Outputs out) const {
  const std::int64_t count = out[0].elements();
  const RandomStream numbers = stream_of(*this, 0);
  const auto* draw = in[0].as<std::int32_t>();
  if (dtype == DType::kFloat64) {
    CHIASM_LAUNCH(stream, make_reference_noise, blocks_for(count, kThreads), kThreads, 0, numbers, draw,
                  distribution == kNormal, scale_of(*this), out[0].as<double>(), count);
    return;
  }
  require_cuda_views(kName, in, out);
  float* y = out[0].as<float>();
  const auto scale = static_cast<float>(scale_of(*this));
  const unsigned grid = blocks_for(count, kThreads * kNumbers);
  if (distribution == kNormal) {
    CHIASM_LAUNCH(stream, make_noise<NormalNumbers>, grid, kThreads, 0, numbers, draw, scale, y, count,
                  is_aligned16(y));
  } else {
    CHIASM_LAUNCH(stream, make_noise<UniformNumbers>, grid, kThreads, 0, numbers, draw, scale, y, count,
                  is_aligned16(y));
  }
}

}  // namespace chiasm

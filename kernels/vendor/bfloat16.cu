// SPDX-License-Identifier: Apache-2.0
// One thread takes eight elements of a row: two 16-byte loads and one 16-byte store (or the reverse), scalar on the
// float32 side where that is not aligned. Six bytes of traffic for each element.
#include "kernels/cuda/launch.cuh"
#include "kernels/vendor/bfloat16.cuh"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kPerThread = 8;

struct alignas(16) Bfloat16x8 {
  __nv_bfloat16 value[kPerThread];
};

__global__ void cast_to_bfloat16_kernel(const float* from, std::int64_t chunks, std::int64_t chunks_per_row,
                                        std::int64_t columns, bool aligned, __nv_bfloat16* to) {
  const std::int64_t chunk = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (chunk >= chunks) return;
  const std::int64_t row = chunk / chunks_per_row, column = (chunk - row * chunks_per_row) * kPerThread;
  const float* source = from + row * columns + column;
  const std::int64_t left = columns - column;
  float value[kPerThread];
  if (aligned && left >= kPerThread) {
    const float4 low = reinterpret_cast<const float4*>(source)[0];
    const float4 high = reinterpret_cast<const float4*>(source)[1];
    value[0] = low.x, value[1] = low.y, value[2] = low.z, value[3] = low.w;
    value[4] = high.x, value[5] = high.y, value[6] = high.z, value[7] = high.w;
  } else {
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) value[i] = i < left ? source[i] : 0.0f;
  }
  Bfloat16x8 result;
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) result.value[i] = __float2bfloat16_rn(value[i]);
  reinterpret_cast<Bfloat16x8*>(to)[chunk] = result;
}

__global__ void cast_from_bfloat16_kernel(const __nv_bfloat16* from, std::int64_t count, bool aligned, float* to) {
  const std::int64_t chunk = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const std::int64_t begin = chunk * kPerThread;
  if (begin >= count) return;
  if (aligned && begin + kPerThread <= count) {
    const Bfloat16x8 value = reinterpret_cast<const Bfloat16x8*>(from)[chunk];
    float4 low, high;
    low.x = __bfloat162float(value.value[0]), low.y = __bfloat162float(value.value[1]);
    low.z = __bfloat162float(value.value[2]), low.w = __bfloat162float(value.value[3]);
    high.x = __bfloat162float(value.value[4]), high.y = __bfloat162float(value.value[5]);
    high.z = __bfloat162float(value.value[6]), high.w = __bfloat162float(value.value[7]);
    reinterpret_cast<float4*>(to + begin)[0] = low;
    reinterpret_cast<float4*>(to + begin)[1] = high;
    return;
  }
  for (std::int64_t i = begin; i < count && i < begin + kPerThread; ++i) to[i] = __bfloat162float(from[i]);
}

}  // namespace

void cast_to_bfloat16(const CudaStream& stream, const float* from, std::int64_t rows, std::int64_t columns,
                      __nv_bfloat16* to) {
  if (columns == bfloat16_pitch(columns)) {  // rows follow each other on both sides
    columns *= rows;
    rows = columns == 0 ? 0 : 1;
  }
  const std::int64_t per_row = bfloat16_pitch(columns) / kPerThread, chunks = rows * per_row;
  const bool aligned = is_aligned16(from) && (rows == 1 || columns % 4 == 0);
  CHIASM_LAUNCH(stream, cast_to_bfloat16_kernel, blocks_for(chunks, kThreads), kThreads, 0, from, chunks, per_row,
                columns, aligned, to);
}

void cast_from_bfloat16(const CudaStream& stream, const __nv_bfloat16* from, std::int64_t count, float* to) {
  CHIASM_LAUNCH(stream, cast_from_bfloat16_kernel, blocks_for(count, kThreads * kPerThread), kThreads, 0, from, count,
                is_aligned16(to), to);
}

}  // namespace chiasm

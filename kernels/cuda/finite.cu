// SPDX-License-Identifier: Apache-2.0
// Mapping: a block looks at one piece of 16 Ki elements of one tensor, which it finds in a table among the kernel's
// parameters. Memory traffic: one read of every tensor. Each thread keeps four 16-byte loads in flight.
#include "kernels/cuda/finite.h"
#include "kernels/cuda/launch.cuh"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kPiece = 16 * 1024;
constexpr int kTensors = 192;  // so that the table stays below 4 KB, which every device takes as parameters

struct Tensors {
  const float* data[kTensors];
  std::int64_t elements[kTensors];
  unsigned end_block[kTensors];  // one past the last block of the tensor
  int count;
};

// x * 0 is 0 for finite x and NaN otherwise.
__device__ inline float zero_if_finite(float x) { return x * 0.0f; }

__global__ void __launch_bounds__(kThreads)
    find_nonfinite(const __grid_constant__ Tensors tensors, std::int32_t* flag) {
  int t = 0, last = tensors.count - 1;
  while (t < last) {
    const int middle = (t + last) / 2;
    if (blockIdx.x < tensors.end_block[middle]) {
      last = middle;
    } else {
      t = middle + 1;
    }
  }
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x - (t == 0 ? 0u : tensors.end_block[t - 1])) * kPiece;
  const int count = static_cast<int>(min(kPiece, tensors.elements[t] - begin));
  const float* const data = tensors.data[t] + begin;
  float sum = 0.0f;
  // Up to three elements before the first 16-byte boundary, then four at a time, then what is left.
  const int head =
      min(count, static_cast<int>((16 - reinterpret_cast<std::uintptr_t>(data) % 16) % 16 / sizeof(float)));
  const int quads = (count - head) / 4;
  const float4* const wide = reinterpret_cast<const float4*>(data + head);
#pragma unroll 4
  for (int i = static_cast<int>(threadIdx.x); i < quads; i += kThreads) {
    const float4 x = wide[i];
    sum += (zero_if_finite(x.x) + zero_if_finite(x.y)) + (zero_if_finite(x.z) + zero_if_finite(x.w));
  }
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < head) sum += zero_if_finite(data[thread]);
  const int tail = head + 4 * quads;
  if (thread < count - tail) sum += zero_if_finite(data[tail + thread]);
  if (!(sum == 0.0f)) *flag = 1;  // every thread that writes writes the same
}

}  // namespace

void flag_nonfinite(const CudaStream& stream, std::span<const View> tensors, std::int32_t* flag) {
  Tensors table{};
  unsigned blocks = 0;
  const auto launch = [&] {
    if (table.count > 0) CHIASM_LAUNCH(stream, find_nonfinite, dim3(blocks), dim3(kThreads), 0, table, flag);
    table.count = 0;
    blocks = 0;
  };
  for (const View& tensor : tensors) {
    if (!is_floating(tensor.dtype()) || tensor.elements() == 0) continue;
    if (table.count == kTensors) launch();
    table.data[table.count] = tensor.as<float>();
    table.elements[table.count] = tensor.elements();
    blocks += blocks_for(tensor.elements(), kPiece);
    table.end_block[table.count++] = blocks;
  }
  launch();
}

}  // namespace chiasm

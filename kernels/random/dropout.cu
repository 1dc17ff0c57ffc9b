// SPDX-License-Identifier: Apache-2.0
// Dropout on CUDA. A thread decides on the four neighbouring elements of a row that share a Philox block, and moves
// them 16 bytes at a time where the row's length and the addresses allow. x and y move once; the epoch and the row's
// sample are read on the device. The results have the bits of the CPU.
#include <algorithm>
#include <cmath>

#include "kernels/cuda/fast_division.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/random/dropout.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kElements = 4;

struct DropRows {
  const float* x;
  float* y;
  const std::int32_t* epoch;
  const std::int32_t* sample;  // of each row
  RandomStream numbers;
  std::int64_t row;     // elements
  std::uint32_t limit;  // in steps of 2^-24: below it, an element is dropped
  float scale;
  bool aligned;
};

__global__ void __launch_bounds__(kThreads)
    drop_elements(const __grid_constant__ DropRows drop, std::uint32_t threads, FastDivision groups) {
  const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= threads) return;
  const std::uint32_t n = groups.quotient(i), group = i - n * groups.divisor();
  const std::int64_t column = static_cast<std::int64_t>(group) * kElements, at = n * drop.row + column;
  Float4 values = load_pack<kElements>(drop.x + at, drop.row - column, drop.aligned);
  const RandomStream random =
      drop.numbers.at(static_cast<std::uint32_t>(*drop.epoch), static_cast<std::uint32_t>(drop.sample[n]));
  const PhiloxBlock block = random.block(group);
  for (int k = 0; k < kElements; ++k) {
    values.value[k] = (block.word[k] >> 8) < drop.limit ? 0.0f : values.value[k] * drop.scale;
  }
  store_pack(drop.y + at, values, drop.row - column, drop.aligned);
}

void drop(const CudaStream& stream, const Dropout& op, const View& x, Inputs in, const MutableView& y) {
  require_cuda_views(Dropout::kName, in.subspan(1), {&y, 1});
  require_cuda_views(Dropout::kName, {&x, 1}, {});
  const std::int64_t rows = x.shape()[0];
  if (x.elements() == 0) return;
  const std::int64_t row = x.elements() / rows, groups = (row + kElements - 1) / kElements;
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  if (groups > kLimit) throw_shape(Dropout::kName, "CUDA drops from rows of at most 2^32 elements");
  const RandomAddress address{.seed = op.seed, .purpose = RandomPurpose::kDropout, .op = op.op};
  DropRows drop{x.as<float>(),
                y.as<float>(),
                in[1].as<std::int32_t>(),
                in[2].as<std::int32_t>(),
                RandomStream(address),
                row,
                static_cast<std::uint32_t>(std::ceil(op.rate * 0x1p24)),
                static_cast<float>(1.0 / (1.0 - op.rate)),
                row % kElements == 0 && is_aligned16(x.as<float>()) && is_aligned16(y.as<float>())};
  // Threads count in 32 bits, so larger tensors are cut into runs of rows.
  const std::int64_t step = kLimit / groups;
  for (std::int64_t n = 0; n < rows; n += step) {
    const std::int64_t threads = std::min(step, rows - n) * groups;
    CHIASM_LAUNCH(stream, drop_elements, blocks_for(threads, kThreads), kThreads, 0, drop,
                  static_cast<std::uint32_t>(threads), FastDivision(groups));
    drop.x += step * row;
    drop.y += step * row;
    drop.sample += step;
  }
}

}  // namespace

void Dropout::forward(CudaStream& stream, Inputs in, Outputs out) const { drop(stream, *this, in[0], in, out[0]); }

void Dropout::backward(CudaStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  drop(stream, *this, dy, in, dx);
}

}  // namespace chiasm

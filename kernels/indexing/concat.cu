// SPDX-License-Identifier: Apache-2.0
// Concat on CUDA: each part is copied to its place, up to kParts of them in one launch. A row is what one index of the
// axes before the joined one holds; a thread moves one word of a part's row, neighbouring threads neighbouring words.
#include <algorithm>
#include <numeric>
#include <type_traits>

#include "kernels/cuda/fast_division.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/indexing/concat.h"
#include "kernels/indexing/copy.cuh"
#include "kernels/indexing/copy.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kParts = 32;

template <class Word>
struct Parts {
  const Word* from[kParts];
  std::int64_t to[kParts];       // where the part begins in the first row of the result
  FastDivision row[kParts];      // words of one row of the part
  std::uint32_t words[kParts];   // of all rows
  std::uint32_t blocks[kParts];  // the first block that works on the part
  int count;
  std::int64_t result_row;
};

template <class Word>
__global__ void __launch_bounds__(kThreads) join_parts(const __grid_constant__ Parts<Word> parts, Word* result) {
  int part = 0;
  while (part + 1 < parts.count && blockIdx.x >= parts.blocks[part + 1]) ++part;
  const std::uint32_t i = (blockIdx.x - parts.blocks[part]) * kThreads + threadIdx.x;
  if (i >= parts.words[part]) return;
  const std::uint32_t row = parts.row[part].quotient(i);
  const std::uint32_t column = i - row * parts.row[part].divisor();
  result[row * parts.result_row + parts.to[part] + column] = parts.from[part][i];
}

struct Part {
  const std::byte* data;
  std::int64_t row_bytes, begin_bytes;
};

template <class Word>
void join(const CudaStream& stream, std::span<const Part> list, std::int64_t rows, std::int64_t result_row_bytes,
          void* result) {
  constexpr auto kBytes = static_cast<std::int64_t>(sizeof(Word));
  for (std::size_t first = 0; first < list.size(); first += kParts) {
    Parts<Word> parts{};
    parts.result_row = result_row_bytes / kBytes;
    unsigned blocks = 0;
    for (const Part& part : list.subspan(first, std::min<std::size_t>(kParts, list.size() - first))) {
      const int k = parts.count++;
      parts.from[k] = reinterpret_cast<const Word*>(part.data);
      parts.to[k] = part.begin_bytes / kBytes;
      parts.row[k] = FastDivision(part.row_bytes / kBytes);
      parts.words[k] = static_cast<std::uint32_t>(rows * part.row_bytes / kBytes);
      parts.blocks[k] = blocks;
      blocks += blocks_for(parts.words[k], kThreads);
    }
    CHIASM_LAUNCH(stream, join_parts<Word>, blocks, kThreads, 0, parts, static_cast<Word*>(result));
  }
}

}  // namespace

void Concat::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const Shape& shape = out[0].shape();
  const int along = normalise_axis(kName.data(), axis, shape.rank());
  const auto item = static_cast<std::int64_t>(size_of(out[0].dtype()));
  std::int64_t rows = 1, inner = item;
  for (int k = 0; k < along; ++k) rows *= shape[k];
  for (int k = along + 1; k < shape.rank(); ++k) inner *= shape[k];
  const std::int64_t result_row = shape[along] * inner;

  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  std::vector<Part> parts;
  std::int64_t common =
      std::gcd(static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(out[0].data())), result_row);
  std::int64_t begin = 0;
  for (const View& x : in) {
    const Part part{static_cast<const std::byte*>(x.data()), x.shape()[along] * inner, begin};
    begin += part.row_bytes;
    // The memory plan may have put the input where it belongs.
    if (x.elements() == 0 || part.data == static_cast<const std::byte*>(out[0].data()) + part.begin_bytes) continue;
    if (x.elements() > kLimit) {
      std::array<std::int64_t, kMaxRank> starts{};
      starts[static_cast<std::size_t>(along)] = part.begin_bytes / inner;
      copy_elements(stream, x, box_of(out[0], starts, x.shape()));
      continue;
    }
    common = std::gcd(std::gcd(common, static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(part.data))),
                      std::gcd(part.row_bytes, part.begin_bytes));
    parts.push_back(part);
  }
  if (common % 16 == 0) return join<Pack<std::uint32_t, 4>>(stream, parts, rows, result_row, out[0].data());
  if (common % 8 == 0) return join<std::uint64_t>(stream, parts, rows, result_row, out[0].data());
  if (common % 4 == 0) return join<std::uint32_t>(stream, parts, rows, result_row, out[0].data());
  join<std::uint8_t>(stream, parts, rows, result_row, out[0].data());
}

void Concat::backward(CudaStream& stream, int input, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, {&dy, 1}, {&dx, 1});
  const int along = normalise_axis(kName.data(), axis, dy.shape().rank());
  std::array<std::int64_t, kMaxRank> starts{};
  for (int i = 0; i < input; ++i) starts[static_cast<std::size_t>(along)] += in[i].shape()[along];
  copy_elements(stream, box_of(dy, starts, dx.shape()), dx);
}

}  // namespace chiasm

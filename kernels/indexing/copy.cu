// SPDX-License-Identifier: Apache-2.0
// Three kernels. copy_strided: a thread moves one word, neighbouring threads neighbouring words of the destination.
// copy_tiles: a block moves a 32 x 32 tile through shared memory, so that rows are read and written along the axis in
// which each side is contiguous; a padded row puts a column of the tile in 32 different banks. fill_words: a thread
// writes 16 bytes. Each byte is read once and written once.
#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/strided_index.h"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/indexing/copy.cuh"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kTile = 32;
constexpr int kTileRows = kThreads / kTile;

template <class Word>
struct StridedCopy {
  const Word* from;
  Word* to;
  StridedIndex<2> index;
  std::uint32_t count;
};

template <class Word>
__global__ void __launch_bounds__(kThreads) copy_strided(const __grid_constant__ StridedCopy<Word> copy) {
  const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= copy.count) return;
  std::int64_t offset[2];
  copy.index.offsets(i, offset);
  copy.to[offset[1]] = copy.from[offset[0]];
}

// Tiles of a matrix [rows, columns] for each index of the outer axes: contiguous along columns in `to`, along rows in
// `from`.
template <class Word>
struct TiledCopy {
  const Word* from;
  Word* to;
  StridedIndex<2> outer;  // of the matrices
  std::int64_t from_column, to_row;
  std::uint32_t rows, columns;
  FastDivision row_tiles, column_tiles;
};

template <class Word>
__global__ void __launch_bounds__(kThreads) copy_tiles(const __grid_constant__ TiledCopy<Word> copy) {
  __shared__ Word tile[kTile][kTile + 1];
  const std::uint32_t tile_of_all = copy.column_tiles.quotient(blockIdx.x);
  const std::uint32_t column0 = copy.column_tiles.remainder(blockIdx.x) * kTile;
  const std::uint32_t matrix = copy.row_tiles.quotient(tile_of_all);
  const std::uint32_t row0 = copy.row_tiles.remainder(tile_of_all) * kTile;
  std::int64_t offset[2];
  copy.outer.offsets(matrix, offset);
  const Word* from = copy.from + offset[0];
  Word* to = copy.to + offset[1];
  const std::uint32_t lane = threadIdx.x % kTile, line = threadIdx.x / kTile;

  if (row0 + lane < copy.rows) {
    for (std::uint32_t j = line; j < kTile && column0 + j < copy.columns; j += kTileRows) {
      tile[j][lane] = from[(column0 + j) * copy.from_column + row0 + lane];
    }
  }
  __syncthreads();
  if (column0 + lane < copy.columns) {
    for (std::uint32_t i = line; i < kTile && row0 + i < copy.rows; i += kTileRows) {
      to[(row0 + i) * copy.to_row + column0 + lane] = tile[lane][i];
    }
  }
}

// 16 bytes that repeat one element.
using Pattern = Pack<std::uint32_t, 4>;

Pattern pattern_of(DType type, double value) {
  Pattern pattern;
  visit_any(type, [&]<class T>() {
    const T element = static_cast<T>(value);
    for (std::size_t at = 0; at < sizeof(pattern); at += sizeof(T)) {
      std::memcpy(reinterpret_cast<char*>(&pattern) + at, &element, sizeof(T));
    }
  });
  return pattern;
}

// Word i of the part of a pattern that an element begins.
template <class Word>
__device__ Word word_of(const Pattern& pattern) {
  if constexpr (sizeof(Word) == 16) {
    return pattern;
  } else if constexpr (sizeof(Word) == 8) {
    return std::uint64_t{pattern.value[1]} << 32 | pattern.value[0];
  } else {
    return static_cast<Word>(pattern.value[0]);
  }
}

template <class Word>
struct FillWords {
  Word* to;
  std::int64_t count;
  Pattern pattern;
};

template <class Word>
__global__ void __launch_bounds__(kThreads) fill_words(const FillWords<Word> fill) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < fill.count) fill.to[i] = word_of<Word>(fill.pattern);
}

// Every word of `to`, which lies at its index; those inside a box come from `from`.
template <class Word>
struct Placement {
  const Word* from;
  Word* to;
  std::uint32_t count;
  int rank;
  FastDivision sizes[kMaxRank];
  std::uint32_t starts[kMaxRank], lengths[kMaxRank];
  std::int64_t strides[kMaxRank];  // of `from`
  Pattern pattern;
};

template <class Word>
__global__ void __launch_bounds__(kThreads) place_in_box(const __grid_constant__ Placement<Word> place) {
  const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= place.count) return;
  std::uint32_t rest = i;
  std::int64_t offset = 0;
  bool inside = true;
  for (int axis = place.rank - 1; axis >= 0; --axis) {
    const std::uint32_t outer = place.sizes[axis].quotient(rest);
    // Below `starts` it wraps around to a large number.
    const std::uint32_t index = rest - outer * place.sizes[axis].divisor() - place.starts[axis];
    inside = inside && index < place.lengths[axis];
    offset += index * place.strides[axis];
    rest = outer;
  }
  place.to[i] = inside ? place.from[offset] : word_of<Word>(place.pattern);
}

// Calls f.operator()<Word>() for a word of that many bytes.
template <class F>
void visit_word(std::int64_t bytes, F&& f) {
  switch (bytes) {
    case 16:
      return f.template operator()<Pattern>();
    case 8:
      return f.template operator()<std::uint64_t>();
    case 4:
      return f.template operator()<std::uint32_t>();
    default:
      return f.template operator()<std::uint8_t>();
  }
}

// The widest word of `item` bytes or more that divides all of these numbers of bytes.
std::int64_t word_bytes(std::int64_t item, std::int64_t common) {
  for (std::int64_t bytes : {16, 8, 4}) {
    if (bytes > item && bytes % item == 0 && common % bytes == 0) return bytes;
  }
  return item;
}

std::int64_t address(const void* data) { return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(data)); }

// The axis along which `from` is contiguous while `to` is contiguous along the innermost one: a transpose. -1: none.
int transposed_axis(const LoopNest<2>& nest) {
  if (nest.row_stride(1) != 1 || nest.row_stride(0) <= 1) return -1;
  for (int axis = 0; axis + 1 < nest.rank(); ++axis) {
    if (nest.stride(0, axis) == 1) return axis;
  }
  return -1;
}

// Whether it was done: every count has to fit 32 bits.
template <class Word>
bool copy_transposed(const CudaStream& stream, const LoopNest<2>& nest, int axis, const Word* from, Word* to) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  const std::int64_t rows = nest.size(axis), columns = nest.row();
  if (rows > kLimit || columns > kLimit) return false;
  const std::int64_t row_tiles = (rows + kTile - 1) / kTile, column_tiles = (columns + kTile - 1) / kTile;
  TiledCopy<Word> copy{};
  copy.from = from;
  copy.to = to;
  copy.from_column = nest.row_stride(0);
  copy.to_row = nest.stride(1, axis);
  copy.rows = static_cast<std::uint32_t>(rows);
  copy.columns = static_cast<std::uint32_t>(columns);
  copy.row_tiles = FastDivision(row_tiles);
  copy.column_tiles = FastDivision(column_tiles);
  std::int64_t matrices = 1;
  for (int k = 0; k + 1 < nest.rank(); ++k) {
    if (k == axis) continue;
    if (nest.size(k) > kLimit) return false;
    copy.outer.sizes[copy.outer.rank] = FastDivision(nest.size(k));
    for (int side : {0, 1}) copy.outer.strides[side][copy.outer.rank] = nest.stride(side, k);
    ++copy.outer.rank;
    matrices *= nest.size(k);
  }
  if (matrices > kLimit / row_tiles / column_tiles) return false;
  CHIASM_LAUNCH(stream, copy_tiles<Word>, static_cast<unsigned>(matrices * row_tiles * column_tiles), kThreads, 0,
                copy);
  return true;
}

template <class Word>
void copy_words(const CudaStream& stream, const LoopNest<2>& nest, const Word* from, Word* to) {
  for_each_piece(nest, [&](const StridedIndex<2>& index, std::int64_t count, const std::array<std::int64_t, 2>& base) {
    const StridedCopy<Word> copy{from + base[0], to + base[1], index, static_cast<std::uint32_t>(count)};
    CHIASM_LAUNCH(stream, copy_strided<Word>, blocks_for(count, kThreads), kThreads, 0, copy);
  });
}

}  // namespace

void copy_elements(const CudaStream& stream, const View& from, const MutableView& to) {
  if (to.elements() == 0) return;
  const auto item = static_cast<std::int64_t>(size_of(to.dtype()));
  if (from.dense() && to.dense()) {
    if (from.data() == to.data()) return;
    CHIASM_CUDA(cudaMemcpyAsync(to.data(), from.data(), static_cast<std::size_t>(to.spec().bytes()),
                                cudaMemcpyDeviceToDevice, stream.native()));
    return;
  }
  const LoopNest<2> nest(to.shape(), {from.strides(), to.strides()});
  if (const int axis = transposed_axis(nest); axis >= 0) {
    bool done = false;
    visit_word(item, [&]<class Word>() {
      if constexpr (sizeof(Word) < 16) {
        done =
            copy_transposed(stream, nest, axis, static_cast<const Word*>(from.data()), static_cast<Word*>(to.data()));
      }
    });
    if (done) return;
  }
  // Runs of elements become runs of words: the innermost axis is shortened, all others keep their sizes.
  std::int64_t bytes = item;
  if (nest.row_stride(0) == 1 && nest.row_stride(1) == 1) {
    std::int64_t common = std::gcd(std::gcd(address(from.data()), address(to.data())), nest.row() * item);
    for (int axis = 0; axis + 1 < nest.rank(); ++axis) {
      for (int side : {0, 1}) common = std::gcd(common, nest.stride(side, axis) * item);
    }
    bytes = word_bytes(item, common);
  }
  const std::int64_t ratio = bytes / item;
  std::array<std::int64_t, kMaxRank> sizes{};
  std::array<Strides, 2> strides{};
  for (int axis = 0; axis < nest.rank(); ++axis) {
    const bool innermost = axis + 1 == nest.rank();
    sizes[static_cast<std::size_t>(axis)] = innermost ? nest.row() / ratio : nest.size(axis);
    for (int side : {0, 1}) {
      strides[side][axis] = innermost ? nest.row_stride(side) : nest.stride(side, axis) / ratio;
    }
  }
  const LoopNest<2> words(Shape(std::span(sizes.data(), static_cast<std::size_t>(nest.rank()))), strides);
  visit_word(bytes, [&]<class Word>() {
    copy_words(stream, words, static_cast<const Word*>(from.data()), static_cast<Word*>(to.data()));
  });
}

void fill_elements(const CudaStream& stream, const MutableView& to, double value) {
  if (!to.dense()) throw InternalError("[fill] CUDA fills dense tensors only");
  const auto item = static_cast<std::int64_t>(size_of(to.dtype()));
  const std::int64_t bytes = word_bytes(item, std::gcd(address(to.data()), to.spec().bytes()));
  visit_word(bytes, [&]<class Word>() {
    const FillWords<Word> fill{static_cast<Word*>(to.data()), to.spec().bytes() / bytes, pattern_of(to.dtype(), value)};
    CHIASM_LAUNCH(stream, fill_words<Word>, blocks_for(fill.count, kThreads), kThreads, 0, fill);
  });
}

void place_elements(const CudaStream& stream, const View& from, const MutableView& to,
                    std::span<const std::int64_t> starts, double value) {
  if (!from.dense() || !to.dense()) throw_shape("pad", "CUDA kernels take dense tensors");
  if (to.elements() == 0) return;
  if (from.elements() == 0) return fill_elements(stream, to, value);
  // Axes that `from` fills are merged with the one before them.
  std::array<std::int64_t, kMaxRank> size{}, start{}, length{};
  int rank = 0;
  for (int axis = 0; axis < to.shape().rank(); ++axis) {
    const std::int64_t whole = to.shape()[axis];
    if (rank > 0 && from.shape()[axis] == whole) {
      size[rank - 1] *= whole;
      start[rank - 1] *= whole;
      length[rank - 1] *= whole;
    } else {
      size[rank] = whole;
      start[rank] = starts[static_cast<std::size_t>(axis)];
      length[rank++] = from.shape()[axis];
    }
  }
  if (rank == 0) size[rank] = length[rank] = 1, ++rank;
  const auto item = static_cast<std::int64_t>(size_of(to.dtype()));
  std::int64_t common = std::gcd(address(from.data()), address(to.data()));
  for (const auto* run : {&size, &start, &length}) common = std::gcd(common, (*run)[rank - 1] * item);
  const std::int64_t bytes = word_bytes(item, common), ratio = bytes / item;
  for (auto* run : {&size, &start, &length}) (*run)[rank - 1] /= ratio;
  // Pieces along the outermost axis count in 32 bits.
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  std::int64_t inner = 1;
  for (int axis = 1; axis < rank; ++axis) inner *= size[axis];
  if (inner > kLimit) throw_shape("pad", "more than 2^30 elements along the padded axes of " + to_string(to.spec()));
  const std::int64_t step = kLimit / inner;
  visit_word(bytes, [&]<class Word>() {
    for (std::int64_t begin = 0; begin < size[0]; begin += step) {
      Placement<Word> place{};
      const std::int64_t rows = std::min(step, size[0] - begin);
      // The part of the box that lies in this piece.
      const std::int64_t first = std::clamp<std::int64_t>(start[0] - begin, 0, rows);
      const std::int64_t last = std::clamp<std::int64_t>(start[0] + length[0] - begin, 0, rows);
      place.to = static_cast<Word*>(to.data()) + begin * inner;
      place.count = static_cast<std::uint32_t>(rows * inner);
      place.rank = rank;
      place.pattern = pattern_of(to.dtype(), value);
      std::int64_t stride = 1;
      for (int axis = rank - 1; axis >= 0; --axis) {
        place.sizes[axis] = FastDivision(axis == 0 ? rows : size[axis]);
        place.starts[axis] = static_cast<std::uint32_t>(axis == 0 ? first : start[axis]);
        place.lengths[axis] = static_cast<std::uint32_t>(axis == 0 ? last - first : length[axis]);
        place.strides[axis] = stride;
        stride *= length[axis];
      }
      place.from = static_cast<const Word*>(from.data()) +
                   std::clamp<std::int64_t>(begin + first - start[0], 0, length[0]) * place.strides[0];
      CHIASM_LAUNCH(stream, place_in_box<Word>, blocks_for(place.count, kThreads), kThreads, 0, place);
    }
  });
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Gather on CUDA. Seen as [outer, size, inner] -> [outer, count, inner].
//
// Forward: a thread moves one word (four elements of a row where rows and addresses allow).
//
// Backward has no atomics: each dx adds up the dy that it became, in the order of dy. sum_rows, for rows of 32 elements
// and more: a warp owns up to 128 neighbouring elements of one row of dx; its lanes read 32 indices at a time, one
// each, and a ballot tells all of them which of the 32 name the row. sum_elements, for shorter rows: a thread owns one
// element of dx, and the threads of a warp read the same index at the same time. Either way the list is read once for
// each warp, from the caches; dx and dy move once.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "kernels/cuda/fast_division.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/indexing/gather.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

// What an index outside the axis names.
template <class T>
CHIASM_HOST_DEVICE inline T absent() {
  if constexpr (std::is_floating_point_v<T>) return std::numeric_limits<T>::quiet_NaN();
  return T{};
}

// Some rows of y, fewer than 2^30 words.
template <class Element, int kPack>
struct GatherRows {
  using Word = Pack<Element, kPack>;
  const Word* x;
  const std::int32_t* indices;
  Word* y;  // the first of the rows
  std::uint32_t words, first_row;
  FastDivision inner, count;  // inner in words
  std::int64_t size;
};

template <class Arguments>
__global__ void __launch_bounds__(kThreads) gather_rows(const Arguments g) {
  const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= g.words) return;
  const std::uint32_t row_here = g.inner.quotient(i), column = i - row_here * g.inner.divisor();
  const std::uint32_t row = g.first_row + row_here, outer = g.count.quotient(row);
  const std::int64_t index = g.indices[row - outer * g.count.divisor()];
  typename Arguments::Word word;
  if (index >= 0 && index < g.size) {
    word = g.x[(outer * g.size + index) * g.inner.divisor() + column];
  } else {
    for (auto& element : word.value) element = absent<std::remove_reference_t<decltype(element)>>();
  }
  g.y[i] = word;
}

struct ScatterRows {
  const std::int32_t* indices;
  const float* dy;
  float* dx;
  std::int64_t rows, size, inner, count;  // rows of dx
  std::int64_t chunks;                    // of 128 elements in a row
  bool aligned;
};

__global__ void __launch_bounds__(kThreads) sum_rows(const ScatterRows g) {
  const std::int64_t warp = static_cast<std::int64_t>(blockIdx.x) * (kThreads / kWarp) + threadIdx.x / kWarp;
  const int lane = static_cast<int>(threadIdx.x % kWarp);
  if (warp >= g.rows * g.chunks) return;  // whole warps
  const std::int64_t row = warp / g.chunks;
  const std::int64_t column = (warp - row * g.chunks) * kWarp * 4 + lane * 4;
  const std::int64_t outer = row / g.size, index = row - outer * g.size;
  const std::int64_t width = g.inner - column;  // may be negative: such a lane only helps to read indices
  Float4 sum{};
  for (std::int64_t start = 0; start < g.count; start += kWarp) {
    const bool names = start + lane < g.count && g.indices[start + lane] == index;
    unsigned found = __ballot_sync(kAllLanes, names);
    while (found != 0) {
      const int next = __ffs(static_cast<int>(found)) - 1;
      found &= found - 1;
      if (width <= 0) continue;
      const Float4 term = load_pack<4>(g.dy + (outer * g.count + start + next) * g.inner + column, width, g.aligned);
      for (int e = 0; e < 4; ++e) sum.value[e] += term.value[e];
    }
  }
  if (width > 0) store_pack(g.dx + row * g.inner + column, sum, width, g.aligned);
}

__global__ void __launch_bounds__(kThreads) sum_elements(const ScatterRows g) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= g.rows * g.inner) return;
  const std::int64_t row = i / g.inner, column = i - row * g.inner;
  const std::int64_t outer = row / g.size, index = row - outer * g.size;
  const float* dy = g.dy + outer * g.count * g.inner + column;
  float sum = 0.0f;
  for (std::int64_t j = 0; j < g.count; ++j) {
    if (g.indices[j] == index) sum += dy[j * g.inner];
  }
  g.dx[i] = sum;
}

struct Extents {
  std::int64_t outer = 1, size = 1, inner = 1, count = 1;
};

Extents extents_of(const Shape& x, int axis, const Shape& indices) {
  Extents e{.size = x[axis], .count = indices.elements()};
  for (int i = 0; i < axis; ++i) e.outer *= x[i];
  for (int i = axis + 1; i < x.rank(); ++i) e.inner *= x[i];
  return e;
}

}  // namespace

void Gather::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  const View& x = in[0];
  const MutableView& y = out[0];
  const Extents e = extents_of(x.shape(), normalise_axis(kName.data(), axis, x.shape().rank()), in[1].shape());
  if (y.elements() == 0) return;
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  const std::int64_t rows = e.outer * e.count;
  if (e.inner > kLimit || rows > kLimit) throw_shape(kName, "CUDA gathers at most 2^30 rows of at most 2^30 elements");
  const auto launch = [&]<class Element, int kPack>() {
    using Arguments = GatherRows<Element, kPack>;
    using Word = typename Arguments::Word;
    const std::int64_t inner = e.inner / kPack, step = kLimit / inner;
    for (std::int64_t row = 0; row < rows; row += step) {
      const Arguments g{.x = static_cast<const Word*>(x.data()),
                        .indices = in[1].as<std::int32_t>(),
                        .y = static_cast<Word*>(y.data()) + row * inner,
                        .words = static_cast<std::uint32_t>(std::min(step, rows - row) * inner),
                        .first_row = static_cast<std::uint32_t>(row),
                        .inner = FastDivision(inner),
                        .count = FastDivision(e.count),
                        .size = e.size};
      CHIASM_LAUNCH(stream, gather_rows<Arguments>, blocks_for(g.words, kThreads), kThreads, 0, g);
    }
  };
  visit_any(x.dtype(), [&]<class T>() {
    if constexpr (sizeof(T) == 4) {
      if (e.inner % 4 == 0 && is_aligned16(x.as<T>()) && is_aligned16(y.as<T>())) {
        return launch.template operator()<T, 4>();
      }
    }
    launch.template operator()<T, 1>();
  });
}

void Gather::backward(CudaStream& stream, int, Inputs in, Inputs, View dy, MutableView dx) const {
  require_cuda_views(kName, {&dy, 1}, {&dx, 1});
  require_cuda_views(kName, in.subspan(1), {});
  const Extents e = extents_of(dx.shape(), normalise_axis(kName.data(), axis, dx.shape().rank()), in[1].shape());
  ScatterRows g{in[1].as<std::int32_t>(),
                dy.as<float>(),
                dx.as<float>(),
                e.outer * e.size,
                e.size,
                e.inner,
                e.count,
                (e.inner + 4 * kWarp - 1) / (4 * kWarp),
                e.inner % 4 == 0};
  g.aligned = g.aligned && is_aligned16(g.dy) && is_aligned16(g.dx);
  if (e.inner >= kWarp) {
    CHIASM_LAUNCH(stream, sum_rows, blocks_for(g.rows * g.chunks, kThreads / kWarp), kThreads, 0, g);
  } else {
    CHIASM_LAUNCH(stream, sum_elements, blocks_for(g.rows * g.inner, kThreads), kThreads, 0, g);
  }
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Cast on CUDA. A thread converts four neighbouring elements: packs of the size of four elements of each type where
// both addresses allow.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/cast_value.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;
constexpr int kElements = 4;

template <class To, class From>
struct CastTo {
  const From* from;
  To* to;
  std::int64_t count;
  bool aligned;
};

// Packs of float64 are wider than any access; the compiler moves them in two.
template <class T>
bool is_aligned_pack(const T* data) {
  return reinterpret_cast<std::uintptr_t>(data) % sizeof(Pack<T, kElements>) == 0;
}

template <class To, class From>
__device__ void cast_four(const CastTo<To, From>& cast, std::int64_t first) {
  const Pack<From, kElements> x = load_pack<kElements>(cast.from + first, cast.count - first, cast.aligned);
  Pack<To, kElements> y;
  for (int e = 0; e < kElements; ++e) y.value[e] = cast_value<To>(x.value[e]);
  store_pack(cast.to + first, y, cast.count - first, cast.aligned);
}

template <class Arguments>
__global__ void __launch_bounds__(kThreads) cast_elements(const Arguments cast) {
  const std::int64_t first = (static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kElements;
  if (first < cast.count) cast_four(cast, first);
}

void cast(const CudaStream& stream, const View& x, const MutableView& y) {
  if (!x.dense() || !y.dense()) throw_shape(Cast::kName, "CUDA kernels take dense tensors");
  visit_any(x.dtype(), [&]<class From>() {
    visit_any(y.dtype(), [&]<class To>() {
      const CastTo<To, From> arguments{x.as<From>(), y.as<To>(), y.elements(),
                                       is_aligned_pack(x.as<From>()) && is_aligned_pack(y.as<To>())};
      using Arguments = CastTo<To, From>;
      CHIASM_LAUNCH(stream, cast_elements<Arguments>, blocks_for(arguments.count, kThreads * kElements), kThreads, 0,
                    arguments);
    });
  });
}

}  // namespace

void Cast::forward(CudaStream& stream, Inputs in, Outputs out) const { cast(stream, in[0], out[0]); }

void Cast::backward(CudaStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const { cast(stream, dy, dx); }

}  // namespace chiasm

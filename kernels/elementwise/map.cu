// SPDX-License-Identifier: Apache-2.0
// Map on CUDA. A thread computes four neighbouring elements; each tensor moves once, 16 bytes at a time where its
// address and broadcasting allow. Operands that repeat along the innermost axes (whole tensors, biases, scalars) take
// map_periodic; any other broadcast takes map_strided, which finds the place of each element axis by axis.
#include <array>
#include <utility>

#include "kernels/cuda/periodic_operand.cuh"
#include "kernels/cuda/strided_index.h"
#include "kernels/elementwise/functor_list.h"
#include "kernels/elementwise/fused_pointwise.h"
#include "kernels/elementwise/map.h"

namespace chiasm {
namespace {

constexpr int kThreads = 256;

template <int kOperands>
struct PeriodicOperands {
  PeriodicOperand operand[kOperands];
};

template <class Call>
__global__ void __launch_bounds__(kThreads)
    map_periodic(const Call call, const __grid_constant__ PeriodicOperands<Call::kArguments> x, float* y,
                 std::uint32_t count, bool aligned) {
  const std::uint32_t first = (blockIdx.x * kThreads + threadIdx.x) * kElementsPerThread;
  if (first >= count) return;
  Float4 v[Call::kArguments];
  for (int k = 0; k < Call::kArguments; ++k) v[k] = x.operand[k].load(first, count - first);
  Float4 result;
  for (int e = 0; e < kElementsPerThread; ++e) {
    float arguments[Call::kArguments];
    for (int k = 0; k < Call::kArguments; ++k) arguments[k] = v[k].value[e];
    result.value[e] = call(arguments);
  }
  store_pack(y + first, result, count - first, aligned);
}

template <int kOperands>
struct StridedOperands {
  const float* data[kOperands];
  StridedIndex<kOperands> index;
};

template <class Call>
__global__ void __launch_bounds__(kThreads)
    map_strided(const Call call, const __grid_constant__ StridedOperands<Call::kArguments> x, float* y,
                std::uint32_t count, bool aligned) {
  const std::uint32_t first = (blockIdx.x * kThreads + threadIdx.x) * kElementsPerThread;
  if (first >= count) return;
  Float4 result{};
  for (int e = 0; e < kElementsPerThread; ++e) {
    if (first + e >= count) continue;
    std::int64_t offset[Call::kArguments];
    x.index.offsets(first + e, offset);
    float arguments[Call::kArguments];
    for (int k = 0; k < Call::kArguments; ++k) arguments[k] = x.data[k][offset[k]];
    result.value[e] = call(arguments);
  }
  store_pack(y + first, result, count - first, aligned);
}

unsigned grid_for(std::int64_t count) { return blocks_for(count, kThreads * kElementsPerThread); }

// result[i] = call(operands[0][i], ...); operands broadcast to `result`.
template <class Call>
void apply(const CudaStream& stream, const Call& call, const std::array<View, Call::kArguments>& operands,
           const MutableView& result) {
  constexpr int kOperands = Call::kArguments;
  const std::int64_t elements = result.elements();
  if (elements == 0) return;
  auto* y = result.as<float>();
  std::array<std::int64_t, kOperands> periods;
  bool periodic = true;
  for (int k = 0; k < kOperands; ++k) {
    periods[k] = broadcast_period(operands[k].shape(), result.shape());
    periodic = periodic && periods[k] > 0;
  }
  if (periodic) {
    return for_each_range(elements, periods, [&](std::int64_t begin, std::int64_t count) {
      PeriodicOperands<kOperands> x;
      for (int k = 0; k < kOperands; ++k) {
        x.operand[k] = periodic_operand(operands[k].template as<float>(), periods[k], elements, begin);
      }
      CHIASM_LAUNCH(stream, map_periodic<Call>, grid_for(count), kThreads, 0, call, x, y + begin,
                    static_cast<std::uint32_t>(count), is_aligned16(y + begin));
    });
  }
  // The result is the last tensor of the nest: it keeps axes apart that cannot be merged in it.
  std::array<Strides, kOperands> strides;
  for (int k = 0; k < kOperands; ++k) strides[k] = broadcast_view(operands[k], result.shape()).strides();
  std::int64_t begin = 0;
  for_each_piece(LoopNest<kOperands>(result.shape(), strides),
                 [&](const StridedIndex<kOperands>& index, std::int64_t count, const auto& base) {
                   StridedOperands<kOperands> x;
                   for (int k = 0; k < kOperands; ++k) x.data[k] = operands[k].template as<float>() + base[k];
                   x.index = index;
                   CHIASM_LAUNCH(stream, map_strided<Call>, grid_for(count), kThreads, 0, call, x, y + begin,
                                 static_cast<std::uint32_t>(count), is_aligned16(y + begin));
                   begin += count;
                 });
}

}  // namespace

template <class F>
void Map<F>::forward(CudaStream& stream, Inputs in, Outputs out) const {
  require_cuda_views(kName, in, out);
  std::array<View, F::kArity> operands;
  std::copy(in.begin(), in.end(), operands.begin());
  apply(stream, FunctorCall<F, 0>{function}, operands, out[0]);
}

template <class F>
void Map<F>::backward(CudaStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const {
  std::array<View, F::kArity + 2> operands;
  std::copy(in.begin(), in.end(), operands.begin());
  operands[F::kArity] = out[0];
  operands[F::kArity + 1] = dy;
  // What the derivative does not read is not there; dy stands in for it, and the compiler drops the load.
  for (View& operand : operands) operand = operand.data() == nullptr ? dy : operand;
  require_cuda_views(kName, operands, std::span<const MutableView>(&dx, 1));
  if (input == 0) return apply(stream, FunctorCall<F, 1>{function}, operands, dx);
  if constexpr (F::kArity > 1) {
    if (input == 1) return apply(stream, FunctorCall<F, 2>{function}, operands, dx);
  }
  if constexpr (F::kArity > 2) {
    if (input == 2) return apply(stream, FunctorCall<F, 3>{function}, operands, dx);
  }
}

#define CHIASM_INSTANTIATE(F)                                        \
  template void Map<F>::forward(CudaStream&, Inputs, Outputs) const; \
  template void Map<F>::backward(CudaStream&, int, Inputs, Inputs, View, MutableView) const;
CHIASM_FOR_EACH_FUNCTOR(CHIASM_INSTANTIATE)
#undef CHIASM_INSTANTIATE

}  // namespace chiasm

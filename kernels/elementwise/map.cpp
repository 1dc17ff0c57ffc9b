// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/map.h"

#include <array>
#include <utility>

#include "kernels/elementwise/functor_list.h"
#include "kernels/elementwise/loop_nest.h"
#include "kernels/elementwise/pointwise_loops.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

// Pieces smaller than this cost more to hand to a thread than to compute.
constexpr std::int64_t kGrain = 16384;

// result[i] = f(tensors[0][i], ...) for every i of the shape of `result`; tensors broadcast to it. The reference.
template <std::size_t Count, class F>
void apply(const CpuStream&, const std::array<View, Count>& tensors, const MutableView& result, const F& f, double) {
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    for_each_offset(
        result.shape(),
        [&](std::int64_t y, auto... x) { result.as<double>()[y] = f(tensors[K].template as<double>()[x]...); },
        result.strides(), broadcast_view(tensors[K], result.shape()).strides()...);
  }
  (std::make_index_sequence<Count>{});
}

// The same for float32, with the fewest and longest loops that the strides allow.
template <std::size_t Count, class F>
void apply(const CpuStream& stream, const std::array<View, Count>& tensors, const MutableView& result, const F& f,
           float) {
  using T = float;
  constexpr int kTensors = static_cast<int>(Count) + 1;
  std::array<const T*, Count> data;
  std::array<Strides, kTensors> strides;
  bool unit = true;
  for (std::size_t k = 0; k < Count; ++k) {
    data[k] = tensors[k].template as<T>();
    strides[k] = broadcast_view(tensors[k], result.shape()).strides();
  }
  T* out = result.as<T>();
  strides[Count] = result.strides();
  const LoopNest<kTensors> nest(result.shape(), strides);
  for (int k = 0; k < kTensors; ++k) unit = unit && (nest.row_stride(k) == 1 || nest.row_stride(k) == 0);
  unit = unit && nest.row_stride(kTensors - 1) == 1;

  stream.parallel_for(result.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      [&]<std::size_t... K>(std::index_sequence<K...>) CHIASM_INLINE_LAMBDA {
        // The loop is compiled once per combination of unit and zero strides, so that each vectorises.
        const auto rows = [&](auto... step) CHIASM_INLINE_LAMBDA {
          nest.for_rows(begin, end, [&](std::int64_t count, const auto& offset) CHIASM_INLINE_LAMBDA {
            T* __restrict__ y = out + offset[Count];
            const std::array<const T*, Count> x{(data[K] + offset[K])...};
#pragma GCC ivdep
            for (std::int64_t i = 0; i < count; ++i) y[i] = f(x[K][i * step]...);
          });
        };
        const auto general = [&]() CHIASM_INLINE_LAMBDA {
          const std::int64_t y_step = nest.row_stride(Count);
          nest.for_rows(begin, end, [&](std::int64_t count, const auto& offset) CHIASM_INLINE_LAMBDA {
            for (std::int64_t i = 0; i < count; ++i) {
              out[offset[Count] + i * y_step] = f(data[K][offset[K] + i * nest.row_stride(K)]...);
            }
          });
        };
        using One = std::integral_constant<std::int64_t, 1>;
        using Zero = std::integral_constant<std::int64_t, 0>;
        std::array<bool, Count> broadcast;
        for (std::size_t k = 0; k < Count; ++k) broadcast[k] = nest.row_stride(static_cast<int>(k)) == 0;
        if (!unit) {
          general();
        } else if constexpr (Count == 1) {
          broadcast[0] ? rows(Zero{}) : rows(One{});
        } else if constexpr (Count == 2) {
          if (broadcast[0]) {
            broadcast[1] ? rows(Zero{}, Zero{}) : rows(Zero{}, One{});
          } else {
            broadcast[1] ? rows(One{}, Zero{}) : rows(One{}, One{});
          }
        } else {
          ((!broadcast[K]) && ...) ? rows(((void)K, One{})...) : general();
        }
      }
      (std::make_index_sequence<Count>{});
    });
  });
}

}  // namespace

template <class F>
std::vector<Spec> Map<F>::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, F::kArity);
  Spec out = in[0];
  for (const Spec& spec : in) {
    require_floating(kName, "each input", spec);
    require_dtype(kName, "each input", spec, in[0].dtype);
    out.shape = broadcast_shape(kName.data(), out.shape, spec.shape);
  }
  return {out};
}

template <class F>
BatchRule Map<F>::batch_rule(std::span<const Spec> in) const {
  const Shape out = infer(in)[0].shape;
  if (out.rank() == 0) return BatchRule::none();
  std::vector<bool> carries;
  for (const Spec& spec : in) carries.push_back(spec.shape.rank() == out.rank() && spec.shape[0] == out[0]);
  return BatchRule::each(std::move(carries));
}

template <class F>
PointwiseFunction Map<F>::pointwise() const {
  return pointwise_value(function);
}

template <class F>
PointwiseFunction Map<F>::pointwise_gradient(int input) const {
  if constexpr (F::kArity > 1) {
    if (input == 1) return chiasm::pointwise_gradient<1>(function);
  }
  if constexpr (F::kArity > 2) {
    if (input == 2) return chiasm::pointwise_gradient<2>(function);
  }
  return chiasm::pointwise_gradient<0>(function);
}

template <class F>
void Map<F>::forward(CpuStream& stream, Inputs in, Outputs out) const {
  visit_floating(out[0].dtype(), [&]<class T>() {
    std::array<View, F::kArity> tensors;
    std::copy(in.begin(), in.end(), tensors.begin());
    const F f = function;
    apply(stream, tensors, out[0], [f](auto... x) CHIASM_INLINE_LAMBDA { return f.value(x...); }, T());
  });
}

template <class F>
void Map<F>::backward(CpuStream& stream, int input, Inputs in, Inputs out, View dy, MutableView dx) const {
  visit_floating(dx.dtype(), [&]<class T>() {
    const auto run = [&]<int I>() {
      std::array<View, F::kArity + 2> tensors;
      std::copy(in.begin(), in.end(), tensors.begin());
      tensors[F::kArity] = out[0];
      tensors[F::kArity + 1] = dy;
      // What the derivative does not read is never loaded; dy stands in for it because it has the right strides.
      for (View& tensor : tensors) tensor = tensor.data() == nullptr ? dy : tensor;
      const F f = function;
      // The last argument is dy.
      apply(stream, tensors, dx, [f](auto... x) CHIASM_INLINE_LAMBDA {
        const std::array<T, sizeof...(x)> v{x...};
        return [&]<std::size_t... K>(std::index_sequence<K...>) CHIASM_INLINE_LAMBDA {
          return v[F::kArity + 1] * f.template derivative<I>(v[K]...);
        }
        (std::make_index_sequence<F::kArity + 1>{});
      }, T());
    };
    if (input == 0) run.template operator()<0>();
    if constexpr (F::kArity > 1) {
      if (input == 1) run.template operator()<1>();
    }
    if constexpr (F::kArity > 2) {
      if (input == 2) run.template operator()<2>();
    }
  });
}

#define CHIASM_INSTANTIATE(F) template struct Map<F>;
CHIASM_FOR_EACH_FUNCTOR(CHIASM_INSTANTIATE)
#undef CHIASM_INSTANTIATE

}  // namespace chiasm

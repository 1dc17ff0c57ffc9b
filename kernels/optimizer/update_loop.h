// SPDX-License-Identifier: Apache-2.0
// The loop of an optimizer step: element i of every output is a function of element i of every input.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "kernels/op.h"
#include "kernels/simd.h"

namespace chiasm {

// The value of a tensor with one element.
inline double scalar_of(const View& view) {
  return visit_any(view.dtype(), [&]<class T>() { return static_cast<double>(*view.as<T>()); });
}

// Checks the inputs of a step: the named tensors, all of the spec of the first, and the learning rate after them.
inline void require_update(std::string_view op, std::span<const Spec> in, std::span<const std::string_view> tensors) {
  require_floating(op, tensors[0], in[0]);
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    require_dtype(op, tensors[i], in[i], in[0].dtype);
    require_shape(op, tensors[i], in[i], in[0].shape);
  }
  require_floating(op, "learning_rate", in[tensors.size()]);
  require_shape(op, "learning_rate", in[tensors.size()], {});
}

// f(x...) returns std::array<T, Outputs>. Outputs may share the memory of inputs of the same shape: all inputs are read
// before an output is written.
template <class T, std::size_t InputCount, std::size_t OutputCount, class F>
void update_elements(const CpuStream& stream, const std::array<View, InputCount>& in,
                     const std::array<MutableView, OutputCount>& out, const F& f) {
  [&]<std::size_t... I, std::size_t... O>(std::index_sequence<I...>, std::index_sequence<O...>) {
    const std::array<const T*, InputCount> x{in[I].template as<T>()...};
    const std::array<T*, OutputCount> y{out[O].template as<T>()...};
    if (std::is_same_v<T, double> || !all_dense(in[I]..., out[O]...)) {
      for_each_offset(
          out[0].shape(),
          [&](auto... offset) {
            const std::array<std::int64_t, InputCount + OutputCount> at{offset...};
            const std::array<T, OutputCount> result = f(x[I][at[I]]...);
            ((y[O][at[InputCount + O]] = result[O]), ...);
          },
          in[I].strides()..., out[O].strides()...);
      return;
    }
    constexpr std::int64_t kGrain = 16384;
    stream.parallel_for(out[0].elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) {
          const std::array<T, OutputCount> result = f(x[I][i]...);
          ((y[O][i] = result[O]), ...);
        }
      });
    });
  }
  (std::make_index_sequence<InputCount>{}, std::make_index_sequence<OutputCount>{});
}

}  // namespace chiasm

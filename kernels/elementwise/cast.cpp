// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/cast.h"

#include "kernels/elementwise/cast_value.h"
#include "kernels/simd.h"

namespace chiasm {
namespace {

constexpr std::int64_t kGrain = 32768;

template <class To, class From>
void cast(const CpuStream& stream, const View& x, const MutableView& y) {
  const From* from = x.as<From>();
  To* to = y.as<To>();
  if (!all_dense(x, y)) {
    for_each_offset(
        y.shape(), [&](std::int64_t i, std::int64_t j) { to[j] = cast_value<To>(from[i]); }, x.strides(), y.strides());
    return;
  }
  stream.parallel_for(y.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t i = begin; i < end; ++i) to[i] = cast_value<To>(from[i]);
    });
  });
}

void cast(const CpuStream& stream, const View& x, const MutableView& y) {
  visit_any(x.dtype(), [&]<class From>() { visit_any(y.dtype(), [&]<class To>() { cast<To, From>(stream, x, y); }); });
}

}  // namespace

std::vector<Spec> Cast::infer(std::span<const Spec> in) const {
  require_inputs(kName, in, 1);
  return {Spec{to, in[0].shape}};
}

void Cast::forward(CpuStream& stream, Inputs in, Outputs out) const { cast(stream, in[0], out[0]); }

void Cast::backward(CpuStream& stream, int, Inputs, Inputs, View dy, MutableView dx) const { cast(stream, dy, dx); }

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// What the normalization ops share: checks of per-channel parameters, and loops over pixels, each a row of C channels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/op.h"
#include "kernels/reduction/axes.h"
#include "kernels/simd.h"

namespace chiasm {

// Checks x [..., C] of at least `rank` axes, floating, and that every further input is [C] of the same element type.
void require_channels(std::string_view op, std::span<const Spec> in, int rank, std::span<const std::string_view> names);

// The reduction of x [..., C] to [C].
inline AxisMask all_but_last(const Shape& shape) { return broadcast_axes(Shape{shape.at(-1)}, shape); }

// Calls body(pixel) for every row of `channels` values, from with_widest_isa. REQUIRES: body is CHIASM_INLINE_LAMBDA.
template <class Body>
void for_each_pixel(const CpuStream& stream, std::int64_t pixels, std::int64_t channels, const Body& body) {
  const std::int64_t grain = 16384 / std::max<std::int64_t>(1, channels) + 1;
  stream.parallel_for(pixels, grain, [&](std::int64_t begin, std::int64_t end) {
    with_widest_isa([&]() CHIASM_INLINE_LAMBDA {
      for (std::int64_t pixel = begin; pixel < end; ++pixel) body(pixel);
    });
  });
}

}  // namespace chiasm

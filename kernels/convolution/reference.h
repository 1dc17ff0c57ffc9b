// SPDX-License-Identifier: Apache-2.0
// The convolution written as its definition, for any strides: the float64 path, and float32 on views that are not
// dense.
#pragma once

#include "kernels/convolution/geometry.h"

namespace chiasm {

// Calls body(image, i, j, row, column, a, b) for each tap (a, b) of each window (i, j) that falls inside the image.
template <class Body>
void for_each_tap(const ConvGeometry& g, Body&& body) {
  const Window2d& w = g.window;
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t i = 0; i < w.out.h; ++i) {
      for (std::int64_t j = 0; j < w.out.w; ++j) {
        for (std::int64_t a = 0; a < w.kernel.h; ++a) {
          const std::int64_t row = i * w.stride.h - w.top + a * w.dilation.h;
          if (row < 0 || row >= w.in.h) continue;
          for (std::int64_t b = 0; b < w.kernel.w; ++b) {
            const std::int64_t column = j * w.stride.w - w.left + b * w.dilation.w;
            if (column < 0 || column >= w.in.w) continue;
            body(n, i, j, row, column, a, b);
          }
        }
      }
    }
  }
}

template <class T>
void reference_convolution(ConvPass pass, const ConvGeometry& g, const View& first, const View& second,
                           const MutableView& result) {
  const auto a = first.access<T, 4>();
  const auto b = second.access<T, 4>();
  const auto r = result.access<T, 4>();
  for_each_offset(
      result.shape(), [&](std::int64_t i) { result.as<T>()[i] = T(0); }, result.strides());
  const std::int64_t ci = g.group_in(), co = g.group_out();
  for_each_tap(g, [&](auto n, auto i, auto j, auto row, auto column, auto ka, auto kb) {
    for (std::int64_t group = 0; group < g.groups; ++group) {
      for (std::int64_t c = 0; c < ci; ++c) {
        const std::int64_t in = group * ci + c;
        for (std::int64_t out = group * co; out < (group + 1) * co; ++out) {
          switch (pass) {
            case ConvPass::kForward:
              r(n, i, j, out) += a(n, row, column, in) * b(ka, kb, c, out);
              break;
            case ConvPass::kInputGradient:
              r(n, row, column, in) += a(n, i, j, out) * b(ka, kb, c, out);
              break;
            case ConvPass::kWeightGradient:
              r(ka, kb, c, out) += a(n, row, column, in) * b(n, i, j, out);
              break;
          }
        }
      }
    }
  });
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Windows of a pooling op, cut to the image, and the checks that max and average pooling share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/convolution/window.h"
#include "kernels/host_device.h"
#include "kernels/view.h"

namespace chiasm {

// Input pixels [first, last) along one axis.
struct PixelRange {
  std::int64_t first;
  std::int64_t last;
};

// The pixels of window `i` that lie inside the image.
CHIASM_HOST_DEVICE inline PixelRange inside(std::int64_t i, std::int64_t stride, std::int64_t before,
                                            std::int64_t kernel, std::int64_t in) {
  const std::int64_t start = i * stride - before;
  return {std::max<std::int64_t>(start, 0), std::min(start + kernel, in)};
}

// The windows of [0, out) that cover input pixel `i`.
CHIASM_HOST_DEVICE inline PixelRange covering(std::int64_t i, std::int64_t stride, std::int64_t before,
                                              std::int64_t kernel, std::int64_t out) {
  const std::int64_t beyond = i + before - kernel;  // windows that start here or earlier end before i
  return {beyond < 0 ? 0 : beyond / stride + 1, std::min((i + before) / stride + 1, out)};
}

// Of an NHWC image. Throws ShapeError "[op] ..." also when a window could lie in the padding alone.
Window2d resolve_pool(std::string_view op, const Padding2d& padding, const Shape& image, Size2d kernel, Size2d stride);

// What infer() of both ops does.
Spec infer_pool(std::string_view op, const Padding2d& padding, std::span<const Spec> in, Size2d kernel, Size2d stride);

}  // namespace chiasm

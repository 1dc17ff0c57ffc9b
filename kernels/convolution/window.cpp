// SPDX-License-Identifier: Apache-2.0
#include "kernels/convolution/window.h"

#include <algorithm>

#include "kernels/op.h"

namespace chiasm {
namespace {

// Products of two such numbers stay far from the end of int64.
constexpr std::int64_t kLimit = std::int64_t{1} << 24;

void require_range(std::string_view op, const char* what, Size2d size) {
  if (size.h < 1 || size.w < 1 || size.h > kLimit || size.w > kLimit) {
    throw_shape(op,
                std::string(what) + " must be between 1 and " + std::to_string(kLimit) + ", found " + to_string(size));
  }
}

struct Axis {
  std::int64_t out;
  std::int64_t before;
};

// `span` is how far apart the first and last input a window touches are, plus one. out is below 1 when none fits.
Axis resolve_axis(const Padding2d& padding, std::int64_t before, std::int64_t after, std::int64_t in, std::int64_t span,
                  std::int64_t stride) {
  if (padding.kind == Padding2d::Kind::kSame) {
    const std::int64_t out = (in + stride - 1) / stride;
    return {out, std::max<std::int64_t>((out - 1) * stride + span - in, 0) / 2};
  }
  const std::int64_t slack = in + before + after - span;
  if (slack < 0) return {0, before};
  std::int64_t out = (padding.ceil_mode ? slack + stride - 1 : slack) / stride + 1;
  if (padding.ceil_mode && (out - 1) * stride >= in + before) --out;
  return {out, before};
}

}  // namespace

std::string to_string(Size2d size) { return std::to_string(size.h) + "x" + std::to_string(size.w); }

std::string to_string(const Padding2d& p) {
  if (p.kind == Padding2d::Kind::kSame) return "same";
  if (p.top == p.bottom && p.top == p.left && p.top == p.right) return std::to_string(p.top);
  return "top " + std::to_string(p.top) + " bottom " + std::to_string(p.bottom) + " left " + std::to_string(p.left) +
         " right " + std::to_string(p.right);
}

Window2d resolve_window(std::string_view op, const Padding2d& padding, Size2d in, Size2d kernel, Size2d stride,
                        Size2d dilation) {
  require_range(op, "input size", in);
  require_range(op, "kernel size", kernel);
  require_range(op, "stride", stride);
  require_range(op, "dilation", dilation);
  for (std::int64_t side : {padding.top, padding.bottom, padding.left, padding.right}) {
    if (side < 0 || side > kLimit) {
      throw_shape(op, "padding must be between 0 and " + std::to_string(kLimit) + ", found " + to_string(padding));
    }
  }
  const Size2d span{(kernel.h - 1) * dilation.h + 1, (kernel.w - 1) * dilation.w + 1};
  const Axis rows = resolve_axis(padding, padding.top, padding.bottom, in.h, span.h, stride.h);
  const Axis columns = resolve_axis(padding, padding.left, padding.right, in.w, span.w, stride.w);
  if (rows.out < 1 || columns.out < 1) {
    throw_shape(op, "kernel " + to_string(kernel) +
                        (dilation == Size2d{} ? "" : " with dilation " + to_string(dilation)) + " does not fit input " +
                        to_string(in) + " with padding " + to_string(padding));
  }
  Window2d window{in, kernel, stride, dilation, {rows.out, columns.out}};
  window.top = rows.before;
  window.left = columns.before;
  window.bottom = (rows.out - 1) * stride.h + span.h - in.h - rows.before;
  window.right = (columns.out - 1) * stride.w + span.w - in.w - columns.before;
  return window;
}

}  // namespace chiasm

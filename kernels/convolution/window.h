// SPDX-License-Identifier: Apache-2.0
// The geometry that convolution and pooling share: where a window of kernel taps lies on an image.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chiasm {

struct Size2d {
  std::int64_t h = 1;
  std::int64_t w = 1;
  bool operator==(const Size2d&) const = default;
};

std::string to_string(Size2d size);  // "7x7"

// How an image is extended before windows are laid on it.
struct Padding2d {
  enum class Kind : std::uint8_t {
    kExplicit,  // by top, bottom, left, right
    kSame,  // TensorFlow's rule: out = ceil(in / stride), the odd row or column of padding goes to the bottom or right
  };
  Kind kind = Kind::kExplicit;
  std::int64_t top = 0;
  std::int64_t bottom = 0;
  std::int64_t left = 0;
  std::int64_t right = 0;
  // Explicit padding, pooling only: the number of windows is rounded up instead of down, so the last one may stick out
  // at the bottom or right; it still starts inside the image or its top or left padding (PyTorch's rule).
  bool ceil_mode = false;

  bool operator==(const Padding2d&) const = default;

  static Padding2d valid() { return {}; }
  static Padding2d same() { return {.kind = Kind::kSame}; }
  static Padding2d all(std::int64_t size) { return sides(size, size, size, size); }
  static Padding2d sides(std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
    return {.top = top, .bottom = bottom, .left = left, .right = right};
  }
};

std::string to_string(const Padding2d& padding);  // "same", "0", "1" (all sides), "top 0 bottom 1 left 2 right 3"

// What a Padding2d means for one image size. Window (i, j) covers rows i*stride.h - top + a*dilation.h of the image, a
// in [0, kernel.h); rows outside [0, in.h) are padding. Columns alike.
struct Window2d {
  Size2d in;
  Size2d kernel;
  Size2d stride;
  Size2d dilation;
  Size2d out;
  // bottom and right are exactly what the last window reaches beyond the image; negative when it does not reach its
  // end.
  std::int64_t top = 0;
  std::int64_t bottom = 0;
  std::int64_t left = 0;
  std::int64_t right = 0;
  bool operator==(const Window2d&) const = default;
};

// Throws ShapeError "[op] ..." when a size, stride, dilation or padding is out of range or no window fits.
Window2d resolve_window(std::string_view op, const Padding2d& padding, Size2d in, Size2d kernel, Size2d stride,
                        Size2d dilation = {});

}  // namespace chiasm

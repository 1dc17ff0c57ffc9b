// SPDX-License-Identifier: Apache-2.0
// Resizing of images, the ways of the libraries that studies used. Width first, then height.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/data/pixels.h"

namespace chiasm {

// kBilinear and kBicubic: pixel centres at (i + 1/2); where the image shrinks, the kernel is widened by the shrink
// factor so that every source pixel counts (no aliasing); near the border, what lies inside is scaled up to one. The
// bicubic kernel is that of Keys with a = -1/2. As PyTorch with antialiasing.
//
// kPillow...: the same, and images of bytes stay bytes: weights are multiples of 2^-22, and each of the two passes
// rounds to a byte. As Pillow, and so torchvision on files. Numbers are not rounded.
//
// kTensorflow...: as TensorFlow 1 and studies that used it: pixel i comes from i * in / out, nothing is widened (images
// that shrink are aliased), the border pixel is repeated. The bicubic kernel has a = -3/4 and is read from a table of
// 1024 steps; results may leave the range of the image.
enum class Interpolation {
  kBilinear,
  kBicubic,
  kPillowBilinear,
  kPillowBicubic,
  kTensorflowBilinear,
  kTensorflowBicubic
};

std::vector<std::string> interpolation_names();  // in the order above: "bilinear", "pillow_bicubic"
Interpolation interpolation_of(const std::string& name);
std::string to_string(Interpolation interpolation);

struct ImageSize {
  std::int64_t height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

// A rectangle of pixels.
struct ImageBox {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
  ImageSize size() const { return {height, width}; }
  bool operator==(const ImageBox&) const = default;
};

ImageSize size_of(const Pixels& image);
ImageBox whole_of(const Pixels& image);

// Brings `box` of an image to `size` and gives `window` of that. Only pixels in the box count. Where the size is that
// of the box, pixels are copied. Images of bytes give bytes with kPillow..., and otherwise numbers (value / 255),
// unless they are copied. REQUIRES: the box lies in the image, the window in the size; neither is empty.
Pixels resize(const Pixels& image, const ImageBox& box, ImageSize size, const ImageBox& window,
              Interpolation interpolation);
Pixels resize(const Pixels& image, const ImageBox& box, ImageSize size, Interpolation interpolation);

}  // namespace chiasm

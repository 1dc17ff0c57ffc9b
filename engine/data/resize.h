// SPDX-License-Identifier: Apache-2.0
// Bilinear resizing of images, the way of image libraries: pixel centres at (i + 1/2), and where the image shrinks, the
// triangle widened by the shrink factor so that every source pixel counts (no aliasing).
#pragma once

#include <cstdint>
#include <span>

namespace chiasm {

// A rectangle of pixels in an image of `image_width` columns.
struct Box {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
};

// Brings `box` of an image [any height, image_width, channels] to [height, width, channels]. Only pixels in the box
// count. REQUIRES: the box lies in the image and is not empty; `out` has height * width * channels values.
void resize_bilinear(std::span<const float> image, std::int64_t image_width, std::int64_t channels, const Box& box,
                     std::int64_t height, std::int64_t width, std::span<float> out);

// The largest centred box of a height x width image that has the aspect ratio of out_height x out_width.
Box centred_box(std::int64_t height, std::int64_t width, std::int64_t out_height, std::int64_t out_width);

}  // namespace chiasm

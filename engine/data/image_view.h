// SPDX-License-Identifier: Apache-2.0
// ImageView: what is shown of an image of any size, and how that is brought to the size a network takes. The same for
// evaluation, extraction, and what of training is not left to chance.
#pragma once

#include <cstdint>

#include "engine/data/resize.h"

namespace chiasm {

struct ImageView {
  // First the shorter side is brought to this and the longer one to floor(resize * long / short); 0: it is not. As
  // torchvision's Resize with one number (spec/mouse_vision.md 1).
  std::int64_t resize = 0;

  // Then the middle is cut out: a square of `crop` pixels, or the largest there is where that is smaller, with
  // torchvision's rounding (half a pixel to even); or a square whose side is floor(fraction * shorter side), or with
  // `whole_aspect` that part of each side, with the rounding of TensorFlow's ImageNet programs (spec/convrnn.md 7.3 and
  // the Inception program); or with none of these the largest box of the network's aspect ratio.
  std::int64_t crop = 0;
  double fraction = 0.0;
  bool whole_aspect = false;

  // Last, what was cut out is brought to the network's size.
  Interpolation interpolation = Interpolation::kBilinear;

  // What a first resize makes of an image, and what is cut out of that for a network's image of size `out`.
  ImageSize resized(ImageSize image) const;
  ImageBox middle(ImageSize image, ImageSize out) const;
};

// REQUIRES: neither size is empty.
Pixels show(const ImageView& view, const Pixels& image, ImageSize out);

// The largest centred box of an image that has the aspect ratio of `out`.
ImageBox centred_box(ImageSize image, ImageSize out);

}  // namespace chiasm

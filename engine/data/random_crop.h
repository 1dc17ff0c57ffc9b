// SPDX-License-Identifier: Apache-2.0
// Boxes of random size and place, for training on parts of images.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/data/resize.h"
#include "kernels/random/random_stream.h"

namespace chiasm {

// A box of random area, aspect ratio and place in the original image, brought to one size: Szegedy et al. 2015. The
// area is uniform in [area_min, area_max] of the image's; the aspect ratio (width / height) is uniform in [aspect_min,
// aspect_max], or with kLogUniform its logarithm is. A box that does not fit, or that covers less than `cover_min` of
// the image, is drawn anew, `attempts` times at most. spec/convrnn.md 7.3: cover_min 0.1, uniform; spec/mouse_vision.md
// 1.1 (torchvision): kLogUniform, Fallback::kLargest.
struct RandomResizedCrop {
  enum class Aspect { kUniform, kLogUniform };
  // After the last attempt: what evaluation shows, or the largest centred box whose aspect ratio is in the range.
  enum class Fallback { kView, kLargest };

  double area_min = 0.08, area_max = 1.0;
  double aspect_min = 3.0 / 4.0, aspect_max = 4.0 / 3.0;
  Aspect aspect = Aspect::kUniform;
  double cover_min = 0.0;
  int attempts = 10;
  Fallback fallback = Fallback::kView;
  std::int64_t size = 0;  // side of the square it is brought to before the network's size; 0: none

  void check() const;  // InputError for ranges that are none
  // Nothing stands for what evaluation shows. `drawn` counts the numbers taken from `random`.
  std::optional<ImageBox> draw(ImageSize image, const RandomStream& random, std::uint64_t& drawn) const;
};

}  // namespace chiasm

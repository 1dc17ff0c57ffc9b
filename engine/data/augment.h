// SPDX-License-Identifier: Apache-2.0
// Augmentation: what is done to one image between the data set and the batch, in this order: random-resized crop or
// padding and random crop, horizontal flip, normalisation. The random numbers belong to (seed, epoch, sample): the same
// whatever thread does it and whatever was done before.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/view.h"

namespace chiasm {

enum class Padding { kZero, kReflect };  // kReflect mirrors about the border pixel, which is not repeated

// A box of random area and aspect ratio, brought to the size of the crop by bilinear resizing. The area is uniform in
// [area_min, area_max] of the image's, the aspect ratio (width / height) uniform in [aspect_min, aspect_max]; after 10
// boxes that do not fit, the largest centred box of the crop's aspect ratio.
struct RandomResizedCrop {
  double area_min = 0.08, area_max = 1.0;
  double aspect_min = 3.0 / 4.0, aspect_max = 4.0 / 3.0;
};

struct Augmentation {
  std::int64_t crop_height = 0, crop_width = 0;  // 0: the height or width of the image
  std::int64_t pad = 0;                          // pixels added on each side before cropping
  Padding padding = Padding::kZero;              // zero before normalisation
  bool random_crop = false;                      // otherwise the crop is centred
  std::optional<RandomResizedCrop> random_resized_crop = std::nullopt;
  double flip_probability = 0;
  // value -> (value * scale - mean[channel]) / deviation[channel]; empty: 0 and 1; one number: the same for all
  // channels.
  double scale = 1;
  std::vector<double> mean = {};
  std::vector<double> deviation = {};

  // What comes of images of this Spec. Throws InputError for settings that do not fit them or contradict each other.
  Spec output(const Spec& image) const;
  // REQUIRES: output(spec) did not throw; `in` holds an image of `spec`, `out` has room for one of output(spec).
  void apply(const Spec& spec, std::span<const float> in, std::span<float> out, std::uint64_t seed, std::uint32_t epoch,
             std::uint32_t sample) const;
};

}  // namespace chiasm

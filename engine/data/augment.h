// SPDX-License-Identifier: Apache-2.0
// Augmentation: what is done to one image between the data set and the batch, in this order: a view or a crop,
// horizontal flip, a list of transforms, the network's size where it is not that yet, normalisation. The random numbers
// belong to (seed, epoch, sample, draw): the same whatever thread does it and whatever was done before. Views of one
// sample that differ have numbers `draw` of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/data/image_view.h"
#include "engine/data/normalisation.h"
#include "engine/data/random_crop.h"
#include "engine/data/transforms/transform.h"
#include "kernels/view.h"

namespace chiasm {

enum class Padding { kZero, kReflect };  // kReflect mirrors about the border pixel, which is not repeated

struct Augmentation {
  std::int64_t crop_height = 0, crop_width = 0;  // the network's size; 0: the height or width of the image
  // What is shown, of images of any size, when chance does not decide. Without it images are cropped and padded, not
  // resized.
  std::optional<ImageView> view = std::nullopt;
  // Pixels added on each side before cropping: of the image, of the view at the network's size, or, when the view has a
  // `crop`, of what the view's first resize makes of the image; the crop is then of that size and brought to the
  // network's size like the view.
  std::int64_t pad = 0;
  Padding padding = Padding::kZero;  // zero before normalisation
  bool random_crop = false;          // otherwise the crop is centred
  // A crop of the original: instead of the view.
  std::optional<RandomResizedCrop> random_resized_crop = std::nullopt;
  double flip_probability = 0;
  // After flipping, of what was cropped, at its size there.
  std::vector<std::shared_ptr<const Transform>> transforms = {};
  PixelNormalisation normalisation = {};

  // What comes of images of this Spec; a height and width of 0 stand for images of any size. Throws InputError for
  // settings that do not fit them or contradict each other.
  Spec output(const Spec& image) const;
  // REQUIRES: output() of the image's Spec, or of images of any size, did not throw; `out` has room for one.
  void apply(const Pixels& image, std::span<float> out, std::uint64_t seed, std::uint32_t epoch, std::uint32_t sample,
             std::uint32_t draw = 0) const;

 private:
  Pixels cropped(const Pixels& image, ImageSize out, const RandomStream& random, std::uint64_t& drawn) const;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/data/augment.h"

#include <algorithm>
#include <string>

#include "kernels/error.h"

namespace chiasm {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw InputError("augmentation: " + what); }

// Source index of position i - pad in [0, size), or -1 for a padded zero.
std::int64_t padded_source(std::int64_t i, std::int64_t size, Padding padding) {
  if (i >= 0 && i < size) return i;
  if (padding == Padding::kZero) return -1;
  return i < 0 ? -i : 2 * (size - 1) - i;
}

template <class Pixel>
void crop_padded(const Pixels& image, const std::vector<Pixel>& in, const ImageBox& box, Padding padding,
                 std::vector<Pixel>& out) {
  if (in.empty()) return;
  out.resize(static_cast<std::size_t>(box.height * box.width * image.channels));
  Pixel* pixel = out.data();
  for (std::int64_t y = 0; y < box.height; ++y) {
    const std::int64_t row = padded_source(y + box.top, image.height, padding);
    for (std::int64_t x = 0; x < box.width; ++x, pixel += image.channels) {
      const std::int64_t column = padded_source(x + box.left, image.width, padding);
      if (row < 0 || column < 0) {
        std::fill_n(pixel, image.channels, Pixel{0});
      } else {
        std::copy_n(in.data() + (row * image.width + column) * image.channels, image.channels, pixel);
      }
    }
  }
}

// A box that may reach beyond the border.
Pixels crop_padded(const Pixels& image, const ImageBox& box, Padding padding) {
  Pixels out{.height = box.height, .width = box.width, .channels = image.channels};
  crop_padded(image, image.bytes, box, padding, out.bytes);
  crop_padded(image, image.values, box, padding, out.values);
  return out;
}

template <class Pixel>
void flip_rows(std::vector<Pixel>& pixels, std::int64_t width, std::int64_t channels) {
  for (Pixel* row = pixels.data(); row != pixels.data() + pixels.size(); row += width * channels) {
    for (std::int64_t x = 0; x < width / 2; ++x) {
      std::swap_ranges(row + x * channels, row + (x + 1) * channels, row + (width - 1 - x) * channels);
    }
  }
}

void check_crop(const Shape& image, const Shape& out, std::int64_t pad) {
  if (out[0] <= image[0] + 2 * pad && out[1] <= image[1] + 2 * pad) return;
  refuse("a crop of " + to_string(out) + " does not fit an image of " + to_string(image) + " padded by " +
         std::to_string(pad) + "; data.view resizes images");
}

void check_reflection(std::int64_t height, std::int64_t width, std::int64_t pad) {
  if (pad < std::min(height, width)) return;
  refuse("reflecting " + std::to_string(pad) + " pixels needs a larger image than " + std::to_string(height) + " x " +
         std::to_string(width));
}

}  // namespace

Spec Augmentation::output(const Spec& image) const {
  const Shape& shape = image.shape;
  if (shape.rank() != 3) refuse("images are [height, width, channels], found " + to_string(shape));
  const bool any_size = shape[0] == 0 || shape[1] == 0;
  if (pad < 0 || crop_height < 0 || crop_width < 0) refuse("pad and crop sizes are 0 or more");
  if (any_size && (!view || crop_height == 0 || crop_width == 0)) {
    refuse("images of many sizes need one to be brought to");
  }
  if (!(flip_probability >= 0 && flip_probability <= 1)) {
    refuse("flip probability is 0 to 1, found " + std::to_string(flip_probability));
  }
  normalisation.check(shape[2]);
  for (const auto& transform : transforms) transform->check(shape[2]);

  // Far beyond any image, and far from where sizes overflow.
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 20;
  const Spec out{DType::kFloat32,
                 {crop_height == 0 ? shape[0] : crop_height, crop_width == 0 ? shape[1] : crop_width, shape[2]}};
  if (std::max({out.shape[0], out.shape[1], pad}) > kMostPixels) {
    refuse("crop and pad are at most " + std::to_string(kMostPixels) + " pixels");
  }
  const Shape& padded = view && view->crop == 0 ? out.shape : shape;
  if (padding == Padding::kReflect && std::min(padded[0], padded[1]) > 0) check_reflection(padded[0], padded[1], pad);
  if (random_resized_crop) {
    random_resized_crop->check();
    if (pad != 0 || random_crop) refuse("random-resized crop goes with neither pad nor random crop");
  } else if (!view) {
    check_crop(shape, out.shape, pad);
  }
  return out;
}

Pixels Augmentation::cropped(const Pixels& image, ImageSize out, const RandomStream& random,
                             std::uint64_t& drawn) const {
  const ImageView shown = view.value_or(ImageView{});
  if (random_resized_crop) {
    const std::optional<ImageBox> box = random_resized_crop->draw(size_of(image), random, drawn);
    if (!box) return show(shown, image, out);
    const std::int64_t side = random_resized_crop->size;
    return resize(image, *box, side > 0 ? ImageSize{side, side} : out, shown.interpolation);
  }
  if (view && pad == 0 && !random_crop) return show(shown, image, out);
  Pixels brought;
  const Pixels* base = &image;
  ImageSize crop = out;
  if (view) {
    brought = shown.crop == 0 ? show(shown, image, out)
                              : resize(image, whole_of(image), shown.resized(size_of(image)), shown.interpolation);
    base = &brought;
    if (shown.crop > 0) {
      crop = {std::min(shown.crop, brought.height + 2 * pad), std::min(shown.crop, brought.width + 2 * pad)};
    }
  }
  if (padding == Padding::kReflect) check_reflection(base->height, base->width, pad);
  const auto offset = [&](std::int64_t room) {
    return random_crop ? static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room) + 1, drawn++))
                       : room / 2;
  };
  const std::int64_t top = offset(base->height + 2 * pad - crop.height) - pad;
  const std::int64_t left = offset(base->width + 2 * pad - crop.width) - pad;
  return crop_padded(*base, {top, left, crop.height, crop.width}, padding);
}

void Augmentation::apply(const Pixels& image, std::span<float> out, std::uint64_t seed, std::uint32_t epoch,
                         std::uint32_t sample, std::uint32_t draw) const {
  const ImageSize to{crop_height == 0 ? image.height : crop_height, crop_width == 0 ? image.width : crop_width};
  const RandomStream random(
      {.seed = seed, .purpose = RandomPurpose::kAugment, .epoch = epoch, .sample = sample, .op = draw});
  std::uint64_t drawn = 0;

  // Whether to flip is the first number whatever else is on, so that switching the crop on does not change the flips.
  const bool flip = random.uniform_double(drawn++) < flip_probability;
  Pixels crop = cropped(image, to, random, drawn);
  if (flip) {
    flip_rows(crop.bytes, crop.width, crop.channels);
    flip_rows(crop.values, crop.width, crop.channels);
  }
  for (std::size_t i = 0; i < transforms.size(); ++i) {
    as_numbers(crop);
    transforms[i]->apply(crop, RandomStream({.seed = seed,
                                             .purpose = RandomPurpose::kAugment,
                                             .epoch = epoch,
                                             .sample = sample,
                                             .op = static_cast<std::uint32_t>(i + 1) << 8 | draw}));
  }
  const Interpolation interpolation = view.value_or(ImageView{}).interpolation;
  if (size_of(crop) != to) crop = resize(crop, whole_of(crop), to, interpolation);
  copy_values(crop, out);
  normalisation.apply(out, image.channels);
}

}  // namespace chiasm

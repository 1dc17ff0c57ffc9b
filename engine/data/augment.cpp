// SPDX-License-Identifier: Apache-2.0
#include "engine/data/augment.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/data/resize.h"
#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw InputError("augmentation: " + what); }

void check_per_channel(const char* name, const std::vector<double>& values, std::int64_t channels) {
  if (values.size() > 1 && std::ssize(values) != channels) {
    refuse(std::string(name) + " has " + std::to_string(values.size()) + " values, images have " +
           std::to_string(channels) + " channels");
  }
  for (const double value : values) {
    if (!std::isfinite(value)) refuse(std::string(name) + " is not finite");
  }
}

void check_box(const RandomResizedCrop& box) {
  if (!(box.area_min > 0 && box.area_min <= box.area_max && box.area_max <= 1)) {
    refuse("random-resized crop needs 0 < area_min <= area_max <= 1, found " + std::to_string(box.area_min) + ", " +
           std::to_string(box.area_max));
  }
  if (!(box.aspect_min > 0 && box.aspect_min <= box.aspect_max && std::isfinite(box.aspect_max))) {
    refuse("random-resized crop needs 0 < aspect_min <= aspect_max, found " + std::to_string(box.aspect_min) + ", " +
           std::to_string(box.aspect_max));
  }
}

// Source index of position i - pad in [0, size), or -1 for a padded zero.
std::int64_t padded_source(std::int64_t i, std::int64_t size, Padding padding) {
  if (i >= 0 && i < size) return i;
  if (padding == Padding::kZero) return -1;
  return i < 0 ? -i : 2 * (size - 1) - i;
}

Box random_box(const RandomResizedCrop& range, const Shape& image, const Shape& out, const RandomStream& random,
               std::uint64_t& drawn) {
  const auto uniform = [&] { return random.uniform_double(drawn++); };
  const double area = static_cast<double>(image[0] * image[1]);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double box_area = area * (range.area_min + (range.area_max - range.area_min) * uniform());
    const double aspect = range.aspect_min + (range.aspect_max - range.aspect_min) * uniform();
    const auto height = static_cast<std::int64_t>(std::lround(std::sqrt(box_area / aspect)));
    const auto width = static_cast<std::int64_t>(std::lround(std::sqrt(box_area * aspect)));
    if (height < 1 || width < 1 || height > image[0] || width > image[1]) continue;
    const auto offset = [&](std::int64_t room) {
      return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room) + 1, drawn++));
    };
    const std::int64_t top = offset(image[0] - height);
    const std::int64_t left = offset(image[1] - width);
    return {top, left, height, width};
  }
  return centred_box(image[0], image[1], out[0], out[1]);
}

}  // namespace

Spec Augmentation::output(const Spec& image) const {
  const Shape& shape = image.shape;
  if (shape.rank() != 3) refuse("images are [height, width, channels], found " + to_string(shape));
  if (pad < 0 || crop_height < 0 || crop_width < 0) refuse("pad and crop sizes are 0 or more");
  if (padding == Padding::kReflect && pad >= std::min(shape[0], shape[1])) {
    refuse("reflecting " + std::to_string(pad) + " pixels needs a larger image than " + to_string(shape));
  }
  if (!(flip_probability >= 0 && flip_probability <= 1)) {
    refuse("flip probability is 0 to 1, found " + std::to_string(flip_probability));
  }
  check_per_channel("mean", mean, shape[2]);
  check_per_channel("deviation", deviation, shape[2]);
  if (std::ranges::any_of(deviation, [](double d) { return d <= 0; })) refuse("deviations are above 0");
  if (!std::isfinite(scale)) refuse("scale is not finite");

  // Far beyond any image, and far from where sizes overflow.
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 20;
  const Spec out{DType::kFloat32,
                 {crop_height == 0 ? shape[0] : crop_height, crop_width == 0 ? shape[1] : crop_width, shape[2]}};
  if (std::max({out.shape[0], out.shape[1], pad}) > kMostPixels) {
    refuse("crop and pad are at most " + std::to_string(kMostPixels) + " pixels");
  }
  if (random_resized_crop) {
    check_box(*random_resized_crop);
    if (pad != 0 || random_crop) refuse("random-resized crop goes with neither pad nor random crop");
  } else if (out.shape[0] > shape[0] + 2 * pad || out.shape[1] > shape[1] + 2 * pad) {
    refuse("a crop of " + to_string(out.shape) + " does not fit an image of " + to_string(shape) + " padded by " +
           std::to_string(pad));
  }
  return out;
}

void Augmentation::apply(const Spec& spec, std::span<const float> in, std::span<float> out, std::uint64_t seed,
                         std::uint32_t epoch, std::uint32_t sample) const {
  const Shape& from = spec.shape;
  const Shape to = output(spec).shape;
  const std::int64_t channels = from[2];
  const RandomStream random({.seed = seed, .purpose = RandomPurpose::kAugment, .epoch = epoch, .sample = sample});
  std::uint64_t drawn = 0;

  // Whether to flip is the first number whatever else is on, so that switching the crop on does not change the flips.
  const bool flip = random.uniform_double(drawn++) < flip_probability;
  if (random_resized_crop) {
    resize_bilinear(in, from[1], channels, random_box(*random_resized_crop, from, to, random, drawn), to[0], to[1],
                    out);
  } else {
    const auto offset = [&](std::int64_t room) {
      return random_crop ? static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room) + 1, drawn++))
                         : room / 2;
    };
    const std::int64_t top = offset(from[0] + 2 * pad - to[0]) - pad;
    const std::int64_t left = offset(from[1] + 2 * pad - to[1]) - pad;
    const bool inside = top >= 0 && left >= 0 && top + to[0] <= from[0] && left + to[1] <= from[1];
    for (std::int64_t y = 0; inside && y < to[0]; ++y) {
      std::copy_n(in.data() + ((y + top) * from[1] + left) * channels, to[1] * channels,
                  out.data() + y * to[1] * channels);
    }
    float* pixel = out.data();
    for (std::int64_t y = 0; !inside && y < to[0]; ++y) {
      const std::int64_t row = padded_source(y + top, from[0], padding);
      for (std::int64_t x = 0; x < to[1]; ++x, pixel += channels) {
        const std::int64_t column = padded_source(x + left, from[1], padding);
        if (row < 0 || column < 0) {
          std::fill_n(pixel, channels, 0.0F);
        } else {
          std::copy_n(in.data() + (row * from[1] + column) * channels, channels, pixel);
        }
      }
    }
  }
  if (flip) {
    for (std::int64_t y = 0; y < to[0]; ++y) {
      float* row = out.data() + y * to[1] * channels;
      for (std::int64_t x = 0; x < to[1] / 2; ++x) {
        std::swap_ranges(row + x * channels, row + (x + 1) * channels, row + (to[1] - 1 - x) * channels);
      }
    }
  }
  if (scale == 1 && mean.empty() && deviation.empty()) return;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const auto of = [&](const std::vector<double>& values, double otherwise) {
      return values.empty() ? otherwise : values[values.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
    };
    const auto factor = static_cast<float>(scale / of(deviation, 1));
    const auto shift = static_cast<float>(-of(mean, 0) / of(deviation, 1));
    for (std::size_t i = static_cast<std::size_t>(channel); i < out.size(); i += static_cast<std::size_t>(channels)) {
      out[i] = out[i] * factor + shift;
    }
  }
}

}  // namespace chiasm

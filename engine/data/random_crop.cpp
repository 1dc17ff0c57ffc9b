// SPDX-License-Identifier: Apache-2.0
#include "engine/data/random_crop.h"

#include <cmath>
#include <string>

#include "kernels/error.h"

namespace chiasm {
namespace {

[[noreturn]] void refuse(const std::string& what, double low, double high) {
  throw InputError("random-resized crop needs " + what + ", found " + std::to_string(low) + ", " +
                   std::to_string(high));
}

// Of an image that is wider or higher than the range, the most that the range allows.
ImageBox largest_box(ImageSize image, double aspect_min, double aspect_max) {
  const auto height = static_cast<double>(image.height), width = static_cast<double>(image.width);
  ImageBox box{.height = image.height, .width = image.width};
  if (width / height < aspect_min) box.height = std::lround(width / aspect_min);
  if (width / height > aspect_max) box.width = std::lround(height * aspect_max);
  box.top = (image.height - box.height) / 2;
  box.left = (image.width - box.width) / 2;
  return box;
}

}  // namespace

void RandomResizedCrop::check() const {
  if (!(area_min > 0 && area_min <= area_max && area_max <= 1)) {
    refuse("0 < area_min <= area_max <= 1", area_min, area_max);
  }
  if (!(aspect_min > 0 && aspect_min <= aspect_max && std::isfinite(aspect_max))) {
    refuse("0 < aspect_min <= aspect_max", aspect_min, aspect_max);
  }
  if (!(cover_min >= 0 && cover_min <= area_max)) refuse("0 <= cover_min <= area_max", cover_min, area_max);
  if (attempts < 1) throw InputError("random-resized crop needs at least one attempt");
}

std::optional<ImageBox> RandomResizedCrop::draw(ImageSize image, const RandomStream& random,
                                                std::uint64_t& drawn) const {
  const auto between = [&](double low, double high) { return low + (high - low) * random.uniform_double(drawn++); };
  const auto offset = [&](std::int64_t room) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room) + 1, drawn++));
  };
  const auto area = static_cast<double>(image.height * image.width);
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const double box_area = area * between(area_min, area_max);
    const double ratio = aspect == Aspect::kUniform ? between(aspect_min, aspect_max)
                                                    : std::exp(between(std::log(aspect_min), std::log(aspect_max)));
    const auto height = static_cast<std::int64_t>(std::lround(std::sqrt(box_area / ratio)));
    const auto width = static_cast<std::int64_t>(std::lround(std::sqrt(box_area * ratio)));
    if (height < 1 || width < 1 || height > image.height || width > image.width) continue;
    if (static_cast<double>(height * width) < cover_min * area) continue;
    const std::int64_t top = offset(image.height - height);
    const std::int64_t left = offset(image.width - width);
    return ImageBox{top, left, height, width};
  }
  if (fallback == Fallback::kLargest) return largest_box(image, aspect_min, aspect_max);
  return std::nullopt;
}

}  // namespace chiasm

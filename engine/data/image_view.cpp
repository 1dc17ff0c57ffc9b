// SPDX-License-Identifier: Apache-2.0
#include "engine/data/image_view.h"

#include <algorithm>

namespace chiasm {
namespace {

// Half of `rest`, halves to even.
std::int64_t even_half(std::int64_t rest) { return rest / 2 + (rest % 4 == 3 ? 1 : 0); }

// As the Inception program: an offset rounded down, and what it leaves.
ImageBox fraction_box(ImageSize image, double fraction) {
  const auto offset = [&](std::int64_t side) {
    const auto length = static_cast<double>(side);
    return static_cast<std::int64_t>((length - length * fraction) / 2.0);
  };
  const std::int64_t top = offset(image.height), left = offset(image.width);
  return {top, left, image.height - 2 * top, image.width - 2 * left};
}

}  // namespace

ImageSize ImageView::resized(ImageSize image) const {
  if (resize == 0) return image;
  const std::int64_t other = resize * std::max(image.height, image.width) / std::min(image.height, image.width);
  return image.height <= image.width ? ImageSize{resize, other} : ImageSize{other, resize};
}

ImageBox ImageView::middle(ImageSize image, ImageSize out) const {
  if (crop > 0) {
    const std::int64_t side = std::min({crop, image.height, image.width});
    return {even_half(image.height - side), even_half(image.width - side), side, side};
  }
  if (fraction > 0.0 && whole_aspect) return fraction_box(image, fraction);
  if (fraction > 0.0) {
    const auto shorter = static_cast<double>(std::min(image.height, image.width));
    const std::int64_t side = std::max<std::int64_t>(1, static_cast<std::int64_t>(fraction * shorter));
    return {(image.height - side + 1) / 2, (image.width - side + 1) / 2, side, side};
  }
  return centred_box(image, out);
}

Pixels show(const ImageView& view, const Pixels& image, ImageSize out) {
  const ImageSize first = view.resized(size_of(image));
  const ImageBox middle = view.middle(first, out);
  if (first == size_of(image)) return resize(image, middle, out, view.interpolation);
  const Pixels cut = resize(image, whole_of(image), first, middle, view.interpolation);
  return resize(cut, whole_of(cut), out, view.interpolation);
}

ImageBox centred_box(ImageSize image, ImageSize out) {
  ImageBox box{.height = image.height, .width = image.width};
  if (image.width * out.height > image.height * out.width) {
    box.width = std::max<std::int64_t>(1, image.height * out.width / out.height);
  } else {
    box.height = std::max<std::int64_t>(1, image.width * out.height / out.width);
  }
  box.top = (image.height - box.height) / 2;
  box.left = (image.width - box.width) / 2;
  return box;
}

}  // namespace chiasm

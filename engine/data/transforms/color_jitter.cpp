// SPDX-License-Identifier: Apache-2.0
// Colour jitter (spec/mouse_vision.md 1.1): factors of brightness, contrast and saturation uniform in [max(0, 1 - s),
// 1 + s], a hue shift uniform in [-s, s] turns, in an order that is drawn as well. Grey images have no saturation or
// hue.
//   {"op": "color_jitter", "brightness": 0, "contrast": 0, "saturation": 0, "hue": 0}
#include <algorithm>
#include <array>
#include <utility>

#include "engine/config/config.h"
#include "engine/data/transforms/colour.h"
#include "engine/data/transforms/transform.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

class ColorJitter final : public Transform {
 public:
  explicit ColorJitter(std::array<double, 4> strength) : strength_(strength) {}

  void check(std::int64_t channels) const override {
    if (channels == 1 || channels == 3) return;
    throw InputError("color_jitter takes grey or coloured images, found " + std::to_string(channels) + " channels");
  }

  void apply(Pixels& image, const RandomStream& random) const override {
    std::array<int, 4> order{0, 1, 2, 3};
    std::uint64_t drawn = 0;
    for (std::uint64_t i = 4; i > 1; --i) std::swap(order[i - 1], order[random.below(i, drawn++)]);
    for (int change : order) apply(image, change, random.uniform_double(4 + static_cast<std::uint64_t>(change)));
  }

 private:
  void apply(Pixels& image, int change, double uniform) const {
    const double s = strength_[static_cast<std::size_t>(change)];
    if (s == 0.0 || (change >= 2 && image.channels != 3)) return;
    const double low = std::max(0.0, 1.0 - s), factor = low + (1.0 + s - low) * uniform;
    if (change == 0) change_brightness(image, factor);
    if (change == 1) change_contrast(image, factor);
    if (change == 2) change_saturation(image, factor);
    if (change == 3) change_hue(image, s * (2.0 * uniform - 1.0));
  }

  std::array<double, 4> strength_;
};

}  // namespace

std::shared_ptr<const Transform> make_color_jitter(const ConfigNode& config) {
  const auto strength = [&](const char* key, double most) {
    return config.real_or(key, 0.0, RealRange::between(0.0, most));
  };
  return std::make_shared<ColorJitter>(std::array{strength("brightness", 10.0), strength("contrast", 10.0),
                                                  strength("saturation", 10.0), strength("hue", 0.5)});
}

}  // namespace chiasm

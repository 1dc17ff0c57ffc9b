// SPDX-License-Identifier: Apache-2.0
// A Gaussian of sigma pixels, uniform in [sigma_min, sigma_max], cut at 4 sigma, its weights made to sum to 1. Beyond
// the border the border pixel goes on (as in Pillow, whose filter approximates a Gaussian by boxes;
// spec/mouse_vision.md 1.1).
//   {"op": "gaussian_blur", "sigma_min": 0.1, "sigma_max": 2}
#include <algorithm>
#include <cmath>

#include "engine/config/config.h"
#include "engine/data/transforms/transform.h"

namespace chiasm {
namespace {

std::vector<double> gaussian(double sigma) {
  const auto reach = static_cast<std::int64_t>(std::ceil(4.0 * sigma));
  std::vector<double> weights;
  double sum = 0.0;
  for (std::int64_t i = -reach; i <= reach; ++i) {
    const double x = static_cast<double>(i) / sigma;
    weights.push_back(std::exp(-0.5 * x * x));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// Along one axis: `count` pixels `stride` values apart.
void blur_line(const float* in, float* out, std::int64_t count, std::int64_t stride,
               const std::vector<double>& weights) {
  const auto reach = static_cast<std::int64_t>(weights.size() / 2);
  for (std::int64_t i = 0; i < count; ++i) {
    double sum = 0.0;
    for (std::int64_t k = -reach; k <= reach; ++k) {
      const std::int64_t from = std::clamp<std::int64_t>(i + k, 0, count - 1);
      sum += weights[static_cast<std::size_t>(k + reach)] * in[from * stride];
    }
    out[i * stride] = static_cast<float>(sum);
  }
}

class GaussianBlur final : public Transform {
 public:
  GaussianBlur(double least, double most) : least_(least), most_(most) {}

  void apply(Pixels& image, const RandomStream& random) const override {
    const std::vector<double> weights = gaussian(least_ + (most_ - least_) * random.uniform_double(0));
    std::vector<float> rows(image.values.size());
    const std::int64_t row = image.width * image.channels;
    for (std::int64_t y = 0; y < image.height; ++y) {
      for (std::int64_t c = 0; c < image.channels; ++c) {
        blur_line(image.values.data() + y * row + c, rows.data() + y * row + c, image.width, image.channels, weights);
      }
    }
    for (std::int64_t x = 0; x < row; ++x)
      blur_line(rows.data() + x, image.values.data() + x, image.height, row, weights);
  }

 private:
  double least_, most_;
};

}  // namespace

std::shared_ptr<const Transform> make_gaussian_blur(const ConfigNode& config) {
  const double least = config.real_or("sigma_min", 0.1, {.min = 0.0, .max = 100.0, .open_min = true});
  const double most = config.real_or("sigma_max", 2.0, RealRange::between(0.0, 100.0));
  if (most < least) config.fail_because("\"sigma_max\" is below \"sigma_min\"");
  return std::make_shared<GaussianBlur>(least, most);
}

}  // namespace chiasm

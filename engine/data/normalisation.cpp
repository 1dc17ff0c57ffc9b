// SPDX-License-Identifier: Apache-2.0
#include "engine/data/normalisation.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.h"

namespace chiasm {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw InputError("normalisation: " + what); }

void check_per_channel(const char* name, const std::vector<double>& values, std::int64_t channels) {
  if (values.size() > 1 && std::ssize(values) != channels) {
    refuse(std::string(name) + " has " + std::to_string(values.size()) + " values, images have " +
           std::to_string(channels) + " channels");
  }
  for (const double value : values) {
    if (!std::isfinite(value)) refuse(std::string(name) + " is not finite");
  }
}

}  // namespace

void PixelNormalisation::check(std::int64_t channels) const {
  check_per_channel("mean", mean, channels);
  check_per_channel("deviation", deviation, channels);
  if (std::ranges::any_of(deviation, [](double d) { return d <= 0; })) refuse("deviations are above 0");
  if (!std::isfinite(scale)) refuse("scale is not finite");
}

void PixelNormalisation::apply(std::span<float> pixels, std::int64_t channels) const {
  if (scale == 1 && mean.empty() && deviation.empty()) return;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const auto of = [&](const std::vector<double>& values, double otherwise) {
      return values.empty() ? otherwise : values[values.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
    };
    const auto factor = static_cast<float>(scale / of(deviation, 1));
    const auto shift = static_cast<float>(-of(mean, 0) / of(deviation, 1));
    for (auto i = static_cast<std::size_t>(channel); i < pixels.size(); i += static_cast<std::size_t>(channels)) {
      pixels[i] = pixels[i] * factor + shift;
    }
  }
}

}  // namespace chiasm

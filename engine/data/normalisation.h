// SPDX-License-Identifier: Apache-2.0
// PixelNormalisation: value -> (value * scale - mean[channel]) / deviation[channel].
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace chiasm {

struct PixelNormalisation {
  // Empty: 0 and 1; one number: the same for all channels.
  double scale = 1;
  std::vector<double> mean = {};
  std::vector<double> deviation = {};

  void check(std::int64_t channels) const;  // InputError for settings that do not fit so many channels
  // REQUIRES: check(channels) did not throw; whole pixels.
  void apply(std::span<float> pixels, std::int64_t channels) const;
};

}  // namespace chiasm

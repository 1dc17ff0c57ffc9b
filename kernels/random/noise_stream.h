// SPDX-License-Identifier: Apache-2.0
// Which random numbers Noise takes, and how they are scaled: the same on every device.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/random/noise.h"
#include "kernels/random/random_stream.h"

namespace chiasm {

inline RandomStream stream_of(const Noise& noise, std::uint32_t draw) {
  return RandomStream(
      {.seed = noise.seed, .purpose = RandomPurpose::kNoise, .epoch = draw, .sample = 0, .op = noise.op});
}

// What a number of unit scale is multiplied by.
inline double scale_of(const Noise& noise) {
  return noise.distribution == Noise::kNormal ? noise.deviation : std::sqrt(3.0) * noise.deviation;
}

}  // namespace chiasm

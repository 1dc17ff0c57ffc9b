// SPDX-License-Identifier: Apache-2.0
// Transform: one change of an image by chance. A new one is a file of its own and one line in transforms.cpp.
#pragma once

#include <memory>

#include "engine/data/pixels.h"
#include "kernels/random/random_stream.h"

namespace chiasm {

class ConfigNode;

class Transform {
 public:
  virtual ~Transform() = default;
  // Throws InputError where images of so many channels cannot be changed.
  virtual void check(std::int64_t /*channels*/) const {}
  // REQUIRES: an image of numbers, in [0, 1]; check(channels) did not throw. What is drawn is a function of `random`.
  virtual void apply(Pixels& image, const RandomStream& random) const = 0;
};

// {"op": "color_jitter", ...}. Throws FileError naming the field.
std::shared_ptr<const Transform> read_transform(const ConfigNode& config);

}  // namespace chiasm

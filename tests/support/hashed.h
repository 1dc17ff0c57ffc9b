// SPDX-License-Identifier: Apache-2.0
// Numbers that a test and its oracle in another language both make: hashed() of tests/oracles/hashed.py.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/view.h"

namespace chiasm::test {

// Numbers in [-1, 1), multiples of 2^-23: murmur3's finaliser over a name's FNV-1a hash and an index.
std::vector<double> hashed(const std::string& name, std::int64_t count);

// Sets a dense view to offset + scale * hashed(name).
void fill_hashed(const MutableView& view, const std::string& name, double scale, double offset = 0.0);

// What is left of a tensor in a golden file: its product with hashed(name + "/direction"), and its norm.
struct Sketch {
  double product = 0.0;
  double norm = 0.0;
};
Sketch sketch(const View& view, const std::string& name);

}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/hashed.h"

#include <cmath>

#include "tests/support/compare.h"

namespace chiasm::test {

std::vector<double> hashed(const std::string& name, std::int64_t count) {
  std::uint32_t seed = 2166136261U;
  for (unsigned char byte : name) seed = (seed ^ byte) * 16777619U;
  std::vector<double> result(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::uint32_t x = static_cast<std::uint32_t>(i) * 0x9E3779B1U + seed;
    x = (x ^ (x >> 16)) * 0x85EBCA6BU;
    x = (x ^ (x >> 13)) * 0xC2B2AE35U;
    x ^= x >> 16;
    result[i] = static_cast<double>(x >> 8) * 0x1p-23 - 1.0;
  }
  return result;
}

void fill_hashed(const MutableView& view, const std::string& name, double scale, double offset) {
  const std::vector<double> values = hashed(name, view.elements());
  visit_floating(view.dtype(), [&]<class T>() {
    for (std::size_t i = 0; i < values.size(); ++i) view.as<T>()[i] = static_cast<T>(offset + scale * values[i]);
  });
}

Sketch sketch(const View& view, const std::string& name) {
  const std::vector<double> direction = hashed(name + "/direction", view.elements());
  Sketch result;
  for (std::int64_t i = 0; i < view.elements(); ++i) {
    const double v = value_at(view, i);
    result.product += v * direction[static_cast<std::size_t>(i)];
    result.norm += v * v;
  }
  result.norm = std::sqrt(result.norm);
  return result;
}

}  // namespace chiasm::test

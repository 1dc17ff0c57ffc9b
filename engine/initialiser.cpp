// SPDX-License-Identifier: Apache-2.0
#include "engine/initialiser.h"

#include <cmath>

#include "kernels/error.h"
#include "kernels/random/random_stream.h"

namespace chiasm {
namespace {

// Standard deviation of a standard normal cut at +-2.
constexpr double kTruncatedDeviation = 0.87962566103423978;

}  // namespace

Fans fans_of(const Shape& weight) {
  if (weight.rank() < 2) return {static_cast<double>(weight.elements()), static_cast<double>(weight.elements())};
  double taps = 1.0;
  for (int axis = 0; axis + 2 < weight.rank(); ++axis) taps *= static_cast<double>(weight[axis]);
  return {taps * static_cast<double>(weight.at(-2)), taps * static_cast<double>(weight.at(-1))};
}

Initialiser Initialiser::constant(double value) { return {Kind::kConstant, value}; }
Initialiser Initialiser::uniform(double limit) { return {Kind::kUniform, limit}; }
Initialiser Initialiser::normal(double standard_deviation) { return {Kind::kNormal, standard_deviation}; }
Initialiser Initialiser::truncated_normal(double standard_deviation) {
  return {Kind::kTruncatedNormal, standard_deviation};
}
Initialiser Initialiser::glorot_uniform(Fans fans) { return uniform(std::sqrt(6.0 / (fans.in + fans.out))); }
Initialiser Initialiser::variance_scaling(double scale, Fans fans) {
  return truncated_normal(std::sqrt(scale / fans.in));
}

void Initialiser::fill(Tensor& tensor, std::uint64_t seed, std::string_view name) const {
  const RandomStream random({.seed = seed, .purpose = RandomPurpose::kInitialise, .op = random_op_of(name)});
  visit_floating(tensor.dtype(), [&]<class T>() {
    std::uint64_t index = 0;
    for (T& value : tensor.values<T>()) {
      double drawn = size_;
      switch (kind_) {
        case Kind::kConstant:
          break;
        case Kind::kUniform:
          drawn = size_ * (2.0 * random.uniform_double(index) - 1.0);
          break;
        case Kind::kNormal:
          drawn = size_ * random.normal(index);
          break;
        case Kind::kTruncatedNormal:
          drawn = size_ / kTruncatedDeviation * random.truncated_normal(index);
          break;
      }
      value = static_cast<T>(drawn);
      ++index;
    }
  });
}

void throw_same_random_op(const std::string& a, const std::string& b) {
  throw InputError("\"" + a + "\" and \"" + b +
                   "\" would draw the same random numbers, because their names have one hash: rename a layer");
}

std::uint32_t random_op_of(std::string_view name) {
  std::uint32_t hash = 2166136261u;  // FNV-1a
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

}  // namespace chiasm

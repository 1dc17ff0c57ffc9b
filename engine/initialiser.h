// SPDX-License-Identifier: Apache-2.0
// How a parameter starts (spec/convrnn.md 9.2). Values depend on the seed and the parameter's name alone, so adding a
// parameter or reordering layers does not change the others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/tensor.h"

namespace chiasm {

// Products that enter and leave one unit: kh kw Cin and kh kw Cout for a kernel, in and out for a matrix.
struct Fans {
  double in = 1.0;
  double out = 1.0;
};
// Of a weight [..., in, out]: the leading axes are kernel taps.
Fans fans_of(const Shape& weight);

class Initialiser {
 public:
  static Initialiser constant(double value);
  static Initialiser uniform(double limit);  // in [-limit, limit)
  static Initialiser normal(double standard_deviation);
  // Cut at two standard deviations and rescaled, so that what is left has the given standard deviation.
  static Initialiser truncated_normal(double standard_deviation);
  // Uniform with limit sqrt(6 / (in + out)).
  static Initialiser glorot_uniform(Fans fans);
  // Truncated normal with standard deviation sqrt(scale / in).
  static Initialiser variance_scaling(double scale, Fans fans);

  bool is_random() const { return kind_ != Kind::kConstant; }

  // REQUIRES: tensor is floating.
  void fill(Tensor& tensor, std::uint64_t seed, std::string_view name) const;

  bool operator==(const Initialiser&) const = default;

 private:
  enum class Kind : std::uint8_t { kConstant, kUniform, kNormal, kTruncatedNormal };
  Initialiser(Kind kind, double size) : kind_(kind), size_(size) {}
  Kind kind_;
  double size_;
};

// A 32-bit number for a name, used to address random numbers. The same on every machine. Two names may share one:
// whoever draws for many names checks (Graph::random_op, Parameters::initialise).
std::uint32_t random_op_of(std::string_view name);
// InputError: the two would draw the same numbers.
[[noreturn]] void throw_same_random_op(const std::string& a, const std::string& b);

}  // namespace chiasm

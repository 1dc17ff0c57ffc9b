// SPDX-License-Identifier: Apache-2.0
// One row of an op test. A test file of an op lists rows; tests/kernels/op_checks_test.cpp checks each of them:
//   - float32 forward and every gradient against float64, on dense and on strided views;
//   - float64 gradients against central differences of the float64 forward, every element;
//   - outputs pre-filled with NaN, guard bands around every buffer, workspace exactly as large as declared;
//   - two runs bit-equal; in deterministic mode, 1 and 2 threads bit-equal;
//   - the reference is not vacuous.
// The float64 forward itself is checked in the op's own test file, against golden or hand-computed values.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "engine/any_op.h"

namespace chiasm::test {

// What a test input holds. Floating inputs take the type under test.
struct Fill {
  enum class Kind { kUniform, kSeparated, kIndices, kConstant, kMask, kBytes };
  Kind kind = Kind::kUniform;
  double low = -1.0;
  double high = 1.0;
};
inline Fill uniform(double low = -1.0, double high = 1.0) { return {Fill::Kind::kUniform, low, high}; }
// Evenly spaced values in random order, none equal and none at the middle or the ends of the range: for functions with
// kinks and for maxima.
inline Fill separated(double low = -1.0, double high = 1.0) { return {Fill::Kind::kSeparated, low, high}; }
// int32 in [0, count).
inline Fill indices(std::int64_t count) { return {Fill::Kind::kIndices, 0.0, static_cast<double>(count)}; }
inline Fill constant(double value) { return {Fill::Kind::kConstant, value, value}; }
// 0 or 1, floating.
inline Fill mask() { return {Fill::Kind::kMask, 0.0, 1.0}; }
// uint8 in [0, 255].
inline Fill bytes() { return {Fill::Kind::kBytes, 0.0, 255.0}; }

struct OpInput {
  Shape shape;
  Fill fill = uniform();
  // The values of this earlier input of the same shape instead of `fill`: a backward weight tied to its forward weight.
  int same_as = -1;
};

struct OpCase {
  std::string name;  // letters, digits and underscores; unique within the op
  OpPtr op;
  std::vector<OpInput> inputs;
  // float32 tolerance: k * epsilon * sqrt(reduction), see compare.h. `reduction` is the length of the longest sum in
  // forward or backward.
  double k = 4.0;
  double reduction = 1.0;
  // float64 gradients against differences with step h: the differences' own error is about f''' h^2 + epsilon f / h.
  double difference_step = 1e-5;
  double difference_tolerance = 1e-7;
  // Inputs whose analytic gradient is, on purpose, not the derivative (an untied backward weight); each is tested elsewhere.
  std::vector<int> skip_difference = {};
  // Outputs that may be constant or zero (masks, counters).
  bool may_be_vacuous = false;
};

inline void PrintTo(const OpCase& c, std::ostream* out) { *out << c.name; }

// Remembers the rows, so that an op without one is found, and returns them for INSTANTIATE_TEST_SUITE_P.
std::vector<OpCase> op_cases(std::vector<OpCase> cases);
const std::vector<OpCase>& all_op_cases();

}  // namespace chiasm::test

// In a file of tests/kernels/: CHIASM_OP_CASES(Conv2d, {OpCase{...}, ...});
#define CHIASM_OP_CASES(Name, ...)                                                                           \
  INSTANTIATE_TEST_SUITE_P(Name, OpChecks, testing::ValuesIn(::chiasm::test::op_cases(__VA_ARGS__)),         \
                           [](const auto& info) { return info.param.name; })

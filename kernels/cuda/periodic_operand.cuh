// SPDX-License-Identifier: Apache-2.0
// PeriodicOperand: an operand of an element-wise kernel that is read as its element i mod period (broadcast_period): a
// tensor of the full shape, a batch of one, a bias, a scalar. A thread reads the values of four neighbouring elements
// of the result, in one access where the operand's address and period allow it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/cuda/fast_division.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector_access.cuh"

namespace chiasm {

inline constexpr int kElementsPerThread = 4;

struct PeriodicOperand {
  enum Kind : std::uint32_t {
    kWhole,           // as many elements as the launch, 16-byte aligned
    kWholeUnaligned,  // the same, at any address
    kConstant,        // one element
    kRepeated,        // a period that is a multiple of four elements, which begin 16-byte aligned
    kRepeatedUnaligned,
  };
  const float* data = nullptr;
  FastDivision period;
  std::uint32_t phase = 0;  // where in the period the launch begins
  Kind kind = kConstant;

  // Elements [first, first + 4) of the launch, of which `count` exist. REQUIRES: first is a multiple of 4.
  __device__ Float4 load(std::uint32_t first, std::uint32_t count) const {
    if (kind == kWhole) return load_pack<kElementsPerThread>(data + first, count, true);
    if (kind == kWholeUnaligned) return load_pack<kElementsPerThread>(data + first, count, false);
    if (kind == kConstant) {
      const float value = *data;
      return {{value, value, value, value}};
    }
    std::uint32_t at = period.remainder(phase + first);
    // All four exist, wherever the result ends.
    if (kind == kRepeated) return *reinterpret_cast<const Float4*>(data + at);
    Float4 values;
    for (int k = 0; k < kElementsPerThread; ++k) {
      values.value[k] = data[at];
      if (++at == period.divisor()) at = 0;
    }
    return values;
  }
};

// The operand for elements [begin, begin + count) of a result of `elements`.
// REQUIRES: count comes from for_each_range.
inline PeriodicOperand periodic_operand(const float* data, std::int64_t period, std::int64_t elements,
                                        std::int64_t begin) {
  PeriodicOperand operand;
  operand.data = data;
  constexpr std::int64_t kLong = std::int64_t{1} << 30;
  if (period == elements || period >= kLong) {
    operand.data += begin % period;
    operand.kind = is_aligned16(operand.data) ? PeriodicOperand::kWhole : PeriodicOperand::kWholeUnaligned;
  } else if (period > 1) {
    operand.period = FastDivision(period);
    operand.phase = static_cast<std::uint32_t>(begin % period);
    const bool fours = period % kElementsPerThread == 0 && operand.phase % kElementsPerThread == 0;
    operand.kind = fours && is_aligned16(data) ? PeriodicOperand::kRepeated : PeriodicOperand::kRepeatedUnaligned;
  }
  return operand;
}

// Calls body(begin, count) for ranges that cover [0, elements): at most 2^30 elements each, so that a kernel counts in
// 32 bits, and none across the end of a period of 2^30 or more, so that such an operand is read like a whole one.
template <class Body>
void for_each_range(std::int64_t elements, std::span<const std::int64_t> periods, const Body& body) {
  constexpr std::int64_t kLong = std::int64_t{1} << 30;
  for (std::int64_t begin = 0, count = 0; begin < elements; begin += count) {
    count = std::min(kLong, elements - begin);
    for (std::int64_t period : periods) {
      if (period >= kLong) count = std::min(count, period - begin % period);
    }
    body(begin, count);
  }
}

}  // namespace chiasm

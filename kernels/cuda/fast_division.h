// SPDX-License-Identifier: Apache-2.0
// FastDivision: division of 32-bit numbers by a divisor that a whole launch shares, as a product and a shift.
//
// For a divisor d, s = ceil(log2 d) and m = floor(2^32 (2^s - d) / d) + 1, floor(n / d) = floor((n + n m / 2^32) / 2^s)
// (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994). With n < 2^31 the sum fits.
#pragma once

#include <cstdint>

#include "kernels/host_device.h"

namespace chiasm {

class FastDivision {
 public:
  FastDivision() = default;
  // REQUIRES: 1 <= divisor < 2^31.
  explicit FastDivision(std::int64_t divisor) : divisor_(static_cast<std::uint32_t>(divisor)) {
    while ((std::uint64_t{1} << shift_) < divisor_) ++shift_;
    const std::uint64_t above = (std::uint64_t{1} << shift_) - divisor_;
    multiplier_ = static_cast<std::uint32_t>((above << 32) / divisor_ + 1);
  }

  CHIASM_HOST_DEVICE std::uint32_t divisor() const { return divisor_; }

  // n / divisor. REQUIRES: n < 2^31.
  CHIASM_HOST_DEVICE std::uint32_t quotient(std::uint32_t n) const {
    const auto high = static_cast<std::uint32_t>((std::uint64_t{n} * multiplier_) >> 32);
    return (high + n) >> shift_;
  }
  CHIASM_HOST_DEVICE std::uint32_t remainder(std::uint32_t n) const { return n - quotient(n) * divisor_; }

 private:
  std::uint32_t divisor_ = 1;
  std::uint32_t multiplier_ = 1;
  std::uint32_t shift_ = 0;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Where a program runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chiasm {

struct Device {
  enum class Kind : std::uint8_t { kCpu, kCuda };
  Kind kind = Kind::kCpu;
  int index = 0;  // of a CUDA device
  bool operator==(const Device&) const = default;

  // "cpu", "cuda" (the first device) or "cuda:N". Throws InputError otherwise. The device need not be there.
  static Device parse(std::string_view text);
  bool is_cuda() const { return kind == Kind::kCuda; }
};

std::string to_string(const Device& device);  // "cpu", "cuda:0"

}  // namespace chiasm

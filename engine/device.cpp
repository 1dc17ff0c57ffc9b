// SPDX-License-Identifier: Apache-2.0
#include "engine/device.h"

#include <charconv>

#include "kernels/error.h"

namespace chiasm {

Device Device::parse(std::string_view text) {
  if (text == "cpu") return {};
  if (text == "cuda") return {Kind::kCuda, 0};
  constexpr std::string_view kPrefix = "cuda:";
  if (text.starts_with(kPrefix)) {
    int index = 0;
    const std::string_view digits = text.substr(kPrefix.size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error == std::errc() && end == digits.data() + digits.size() && index >= 0) return {Kind::kCuda, index};
  }
  throw InputError("\"" + std::string(text) + "\" is no device; allowed: cpu, cuda, cuda:N");
}

std::string to_string(const Device& device) {
  return device.is_cuda() ? "cuda:" + std::to_string(device.index) : "cpu";
}

}  // namespace chiasm

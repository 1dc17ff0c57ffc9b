// SPDX-License-Identifier: Apache-2.0
// Cuts the workspace of an op into aligned parts. The same calls with a null workspace add up what to declare.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chiasm {

class WorkspaceParts {
 public:
  // cuBLASLt and cuDNN want their scratch memory at multiples of this; streams lend multiples of 64.
  static constexpr std::int64_t kAlignment = 256;

  explicit WorkspaceParts(std::byte* workspace = nullptr) : workspace_(workspace) {}

  // The next `bytes` bytes; null when there is no workspace, or nothing to take.
  std::byte* take(std::int64_t bytes) {
    if (bytes <= 0) return nullptr;
    const std::int64_t start = used_;
    used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (workspace_ == nullptr) return nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(workspace_);
    return workspace_ + (kAlignment - address % kAlignment) % kAlignment + start;
  }
  // What to declare: the parts, and room to align the first.
  std::int64_t bytes() const { return used_ == 0 ? 0 : used_ + kAlignment; }

 private:
  std::byte* workspace_;
  std::int64_t used_ = 0;
};

}  // namespace chiasm

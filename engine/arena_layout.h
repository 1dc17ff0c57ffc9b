// SPDX-License-Identifier: Apache-2.0
// ArenaLayout: gives out and takes back ranges of an arena that grows as needed. It hands out the smallest free range
// that fits. Only offsets, no memory.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace chiasm {

class ArenaLayout {
 public:
  static constexpr std::int64_t kAlignment = 64;  // a cache line, and the widest vector

  // Offset of a free range of at least `bytes` (> 0).
  std::int64_t take(std::int64_t bytes);
  // REQUIRES: take(bytes) returned `offset`, and it was not given back since.
  void give_back(std::int64_t offset, std::int64_t bytes);
  // One past the last byte ever handed out.
  std::int64_t peak() const { return end_; }

 private:
  void insert(std::int64_t offset, std::int64_t bytes);
  void erase(std::map<std::int64_t, std::int64_t>::iterator range);

  std::map<std::int64_t, std::int64_t> free_;                // offset -> bytes
  std::set<std::pair<std::int64_t, std::int64_t>> by_size_;  // (bytes, offset)
  std::int64_t end_ = 0;
};

}  // namespace chiasm

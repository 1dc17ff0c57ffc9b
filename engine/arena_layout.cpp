// SPDX-License-Identifier: Apache-2.0
#include "engine/arena_layout.h"

namespace chiasm {
namespace {

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + ArenaLayout::kAlignment - 1) / ArenaLayout::kAlignment * ArenaLayout::kAlignment;
}

}  // namespace

std::int64_t ArenaLayout::take(std::int64_t bytes) {
  bytes = aligned(bytes);
  const auto fit = by_size_.lower_bound({bytes, 0});
  if (fit != by_size_.end()) {
    const auto [size, offset] = *fit;
    erase(free_.find(offset));
    if (size > bytes) insert(offset + bytes, size - bytes);
    return offset;
  }
  // Grow; a free range at the end is part of what is handed out.
  std::int64_t offset = end_;
  if (!free_.empty()) {
    const auto last = std::prev(free_.end());
    if (last->first + last->second == end_) {
      offset = last->first;
      erase(last);
    }
  }
  end_ = offset + bytes;
  return offset;
}

void ArenaLayout::give_back(std::int64_t offset, std::int64_t bytes) {
  bytes = aligned(bytes);
  const auto after = free_.lower_bound(offset);
  if (after != free_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == offset) {
      offset = before->first;
      bytes += before->second;
      erase(before);
    }
  }
  const auto next = free_.find(offset + bytes);
  if (next != free_.end()) {
    bytes += next->second;
    erase(next);
  }
  insert(offset, bytes);
}

void ArenaLayout::insert(std::int64_t offset, std::int64_t bytes) {
  free_.emplace(offset, bytes);
  by_size_.emplace(bytes, offset);
}

void ArenaLayout::erase(std::map<std::int64_t, std::int64_t>::iterator range) {
  by_size_.erase({range->second, range->first});
  free_.erase(range);
}

}  // namespace chiasm

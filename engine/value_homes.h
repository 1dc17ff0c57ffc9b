// SPDX-License-Identifier: Apache-2.0
// ValueHomes: which values share a buffer, and where in it each begins. A buffer is named after the value that fills
// it, its root.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

class ValueHomes {
 public:
  struct Home {
    ValueId root;
    std::int64_t offset;  // bytes from the start of the root
  };

  // Each value starts in a buffer of its own.
  explicit ValueHomes(std::size_t values) : parent_(values), offset_(values, 0) {
    for (std::size_t i = 0; i < values; ++i) parent_[i] = static_cast<ValueId>(i);
  }

  // Puts the buffer of `value`, and all that lies in it, into that of `into`. REQUIRES: `value` is a root, and `into`
  // is in another buffer.
  void put(ValueId value, ValueId into, std::int64_t offset) {
    parent_[value] = into;
    offset_[value] = offset;
  }

  Home find(ValueId value) {
    std::int64_t offset = 0;
    while (parent_[value] != value) {
      // Halves the way to the root for the next search; the root's own offset is zero.
      offset_[value] += offset_[parent_[value]];
      parent_[value] = parent_[parent_[value]];
      offset += offset_[value];
      value = parent_[value];
    }
    return {value, offset};
  }

 private:
  std::vector<ValueId> parent_;
  std::vector<std::int64_t> offset_;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/data/subset.h"

namespace chiasm {

std::vector<std::int32_t> evenly_spaced(std::int64_t count, std::int64_t size) {
  std::vector<std::int32_t> positions;
  // size = step * count + rest, so that no product overflows.
  const std::int64_t step = size / count, rest = size % count;
  for (std::int64_t i = 0; i < count; ++i) positions.push_back(static_cast<std::int32_t>(i * step + i * rest / count));
  return positions;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Features with mean 0 and standard deviation 1, so that a penalty, or a direction of large variance, weighs units
// alike.
#pragma once

#include <cstdint>

#include "analysis/maps/source.h"

namespace chiasm {

template <class T>
struct Standardised {
  Source<T> source;
  std::int64_t constant = 0;  // units that are the same for all stimuli: they become 0
};

// Each unit of `source` over all of its stimuli (divisor n), which uses no response. Rows are scaled when they are
// read, so that the result needs no more memory than `source`, which it shares.
template <class T>
Standardised<T> standardised(const Source<T>& source);

}  // namespace chiasm

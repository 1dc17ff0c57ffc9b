// SPDX-License-Identifier: Apache-2.0
// Branches: which steps of a program may run beside each other, and on which of several streams each runs. Two steps
// depend on each other when one writes memory that the other reads or writes: what lies in the same place of the arena
// at different times counts, so any schedule that keeps these dependences gives the bits of the sequence.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace chiasm {

struct MemoryRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;  // one past the last byte; empty ranges touch nothing
};

struct StepAccess {
  std::vector<MemoryRange> reads;
  std::vector<MemoryRange> writes;  // scratch memory included
};

struct ScheduledStep {
  int branch = 0;
  std::vector<int> waits;  // earlier steps, on other branches, that must have finished
  bool awaited = false;    // a step of another branch waits for this one
};

// For each step, the earlier steps it directly depends on, ascending.
std::vector<std::vector<int>> find_dependences(std::span<const StepAccess> steps);

// Spreads steps over at most `branches` (>= 1) streams, each of which keeps the order of its steps. A wait that another
// one implies is left out.
std::vector<ScheduledStep> schedule_branches(std::span<const StepAccess> steps, int branches);

}  // namespace chiasm

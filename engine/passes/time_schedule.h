// SPDX-License-Identifier: Apache-2.0
// Which nodes of an unrolled graph can become one, and when each may run: the half of batch_time that looks at the
// graph and does not change it.
//
// A family is one op with the same weights at several timesteps. Its members that wait for nothing at the same moment
// can run as one op on a larger batch. There are two kinds:
//   each   convolutions and products, forward and with respect to their input: the results are cut apart again;
//   sum    gradients with respect to a weight, of which only the sum over time is used: one product gives the sum.
#pragma once

#include <vector>

#include "engine/graph.h"

namespace chiasm {

struct TimeFamily {
  std::vector<NodeId> members;  // in the order of their timesteps
  bool sum = false;
  // How many members can at most wait for nothing at once: the distance at which one depends on another.
  std::size_t window = 0;
  // Families of cheap sums that read the same errors as this one, and can share its merged input.
  std::vector<int> riders;
};

struct TimeFamilies {
  std::vector<TimeFamily> families;
  std::vector<int> family_of;  // per node, or -1
  // Per node: for the last addition of a sum over families of kind `sum`, all its terms, in order; empty for others.
  std::vector<std::vector<ValueId>> terms;
  std::vector<bool> absorbed;  // per node: an addition inside such a sum
};

TimeFamilies find_time_families(const Graph& graph);

}  // namespace chiasm

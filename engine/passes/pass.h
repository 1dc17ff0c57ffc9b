// SPDX-License-Identifier: Apache-2.0
// Graph passes: functions from a graph to an equivalent graph. Names of inputs, states and outputs, and assignments,
// stay. Each pass is a file of its own and can be left out; each has a test that results do not change.
//
// Passes that leave something out run twice: on the forward graph before it is differentiated, so that a value computed
// once has one backward step, fed with the sum of the errors of all its uses, and on the whole graph afterwards
// (notes/20261122-passes-before-gradients.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

// Drops nodes that no output and no assignment needs. Exact: nothing that is kept changes.
Graph prune(const Graph& graph);

// Computes an op once where it is applied several times to the same values ("common subexpressions"). Exact: an op is a
// function of its parameters and inputs, so both results had the same bits.
Graph share(const Graph& graph);

// Computes what is the same for every sample of the batch for one sample, and spreads it where it meets something that
// is not: what a layer does before the first image reaches it, and what blank frames cause. Exact: BatchRule says that
// sample n of a result is a function of sample n of the inputs, and these are equal. A library may order the sums of a
// batch of one differently: equal to rounding.
Graph hoist(const Graph& graph);

// Runs one op with the same weights at several timesteps as one op on a larger batch, where none of them waits for
// another: convolutions and products, forward and with respect to their inputs, and what follows each without needing
// anything else. Gradients of one weight over time, of which only the sum is used, become one product. Exact: BatchRule
// says that samples stay apart, or that the result is a sum over them. Sums over samples and time are taken in another
// order (still a fixed one), and a library may block a larger batch differently: equal to rounding. Nodes are put in
// the order in which the merged ones can run.
Graph batch_time(const Graph& graph);

// Makes one node of element-wise nodes that feed or accompany each other, such as the gates of a recurrent cell, so
// that they read and write memory once. Exact: each function runs as before, on the same values.
Graph fuse_pointwise(const Graph& graph);

struct Pass {
  std::string_view name;
  Graph (*run)(const Graph&);
  bool before_gradients = false;  // runs on the forward graph too
};

// All passes, in the order in which they run.
const std::vector<Pass>& all_passes();

// What a list may name besides those, for the program to do after them: keep to the memory that it is given
// (rematerialise.h), and plan its memory (memory_plan.h), without which each value has memory of its own.
inline constexpr std::string_view kRematerialise = "rematerialise";
inline constexpr std::string_view kPlanMemory = "plan_memory";

// "all", "none", or names joined by commas. Throws InputError naming an unknown pass and the known ones.
std::vector<Pass> select_passes(std::string_view list);
// Whether the list names `pass`. Throws InputError as select_passes does.
bool selects(std::string_view list, std::string_view pass);

// Runs those of the selected passes that belong before differentiation.
Graph simplify_forward(Graph graph, std::string_view passes);

}  // namespace chiasm

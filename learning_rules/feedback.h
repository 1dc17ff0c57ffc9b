// SPDX-License-Identifier: Apache-2.0
// Feedback pathways that are not a weight: sign symmetry and direct feedback alignment, put into the graph of a loss.
#pragma once

#include <cstdint>

#include "engine/graph.h"
#include "engine/parameters.h"
#include "learning_rules/learning.h"

namespace chiasm {

// The name of the output whose gradient trains the network: route_feedback adds it where that is not "loss" itself.
inline constexpr const char* kObjective = "objective";

// The graph with the feedback of its layers in place; its forward values are unchanged. `graph` has an output "loss".
//
// kSign: errors go through sign(W) times magnitudes (SignMagnitude).
// kDirect (Nokland 2016): what a layer receives is cut off from the error of that layer, and instead receives D e, e
// the error of the output, which is the gradient of the loss with respect to what the last linear operator gives,
// summed over its applications. D has standard deviation 1 / sqrt(size of D e), so that an error keeps its norm on the
// way, as it does on the way back through a matrix of variance 1 / n_in; the paper leaves the scale open. It is kept
// with the state of the optimizer, since evaluation needs none. It enters as <x, stop(D e)>, summed over layers and
// applications and added to the loss as the output kObjective. Layers that receive no trained activity, such as the
// first, are left alone.
Graph route_feedback(const Graph& graph, Parameters& parameters, const Learning& learning, std::uint64_t seed);

// The name of D for a layer.
std::string direct_feedback_name(const std::string& path);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Inputs that several parts of a training step share, made by whichever asks first.
#pragma once

#include <string>

#include "engine/graph.h"

namespace chiasm {

// The input of that name. Throws ShapeError when it exists with another spec.
Value input_once(Graph& graph, const std::string& name, const Spec& spec);

// "draw" int32 []: which training step this is, for noise that is drawn anew at every step.
inline Value draw_input(Graph& graph) { return input_once(graph, "draw", Spec{DType::kInt32, {}}); }

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// MovingCopy: copies of parameters that follow them slowly, as the key encoder of MoCo (spec/mouse_vision.md 5.6), the
// target of BYOL, or averaged weights:
//   copy' = c copy + (1 - c) new
// where `new` is the parameter as the optimizer leaves it. A copy is a state of the graph, and with the run's snapshot
// it is saved and resumed. It starts as its parameter does, and while the two are equal it keeps its bits.
#pragma once

#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/parameters.h"

namespace chiasm {

// c over a run: `start`, or from there to 1 along half a cosine (Grill et al. 2020, section 3.3).
struct MovingCoefficient {
  double start = 0.999;
  bool cosine = false;
  bool operator==(const MovingCoefficient&) const = default;

  // 1 - c where `progress` of the run lies behind, from 0 to 1: what a copy moves by. Precise where c is near 1.
  double step_at(double progress) const;
};

struct MovingCopy {
  std::string name = {};                   // in messages: "recipe.json: train.moving_copies[0]"
  std::vector<std::string> patterns = {};  // of parameters (glob.h)
  std::string prefix = "target/";          // of the copies' names: "target/conv1/conv/weight"
  MovingCoefficient coefficient = {};      // its course, for whoever fills the input

  // The graph input 1 - c: floating [], "moving_copy/" and the prefix.
  std::string input() const { return "moving_copy/" + prefix; }
};

// Declares the copies of what the patterns fit among the trained parameters (role kForward), which exist already.
// Throws InputError where a pattern fits none, naming near ones.
void declare_moving_copies(const MovingCopy& copy, Parameters& parameters);

// Declares the copies and assigns their next values, for the parameters that `graph` uses. The updates of the
// parameters themselves have been appended; one without an update counts as it is.
void append_moving_copies(Graph& graph, Parameters& parameters, const MovingCopy& copy);

}  // namespace chiasm

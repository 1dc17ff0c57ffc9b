// SPDX-License-Identifier: Apache-2.0
// TemporalGraph: a network as layers and connections with conduction delays. It says what is connected and when;
// unroll.h turns it into a graph of the engine. Semantics: spec/convrnn.md section 1.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/cells/cell.h"
#include "models/stages/stage.h"

namespace chiasm {

// The name under which layers refer to the image.
inline constexpr std::string_view kImage = "image";

struct Layer {
  // What becomes of several inputs, once they have the size of the first: side by side along their channels, or added.
  enum class Join { kConcatenate, kSum };

  std::string name;
  std::string input;  // its designated feedforward predecessor: a layer, or kImage
  Join join = Join::kConcatenate;
  bool learned_state = false;  // the cell starts from parameters "cell/initial_state_N", not from zeros
  std::vector<NamedStage> pre;
  std::shared_ptr<const Cell> cell;  // null: none
  std::vector<NamedStage> post;
};

// Carries the output of `source` to `target`, `delay_steps` timesteps later. A layer's feedforward input is a
// connection as well as the others; sources still silent deliver zeros.
struct Connection {
  std::string source;
  std::string target;
  int delay_steps = 1;
};

struct TemporalGraph {
  Shape image;  // H x W x C; or the length of a vector, where the input is no image
  std::vector<Layer> layers;
  std::vector<Connection> connections;
  std::string readout;  // the layer whose output at each step are the logits

  // Throws InputError naming the layer or connection: unknown or repeated names, a layer without its feedforward
  // connection, a chain of feedforward inputs that does not start at the image, a negative delay, a cycle of
  // connections without delay (all its layers are named).
  void validate() const;

  int index_of(std::string_view layer) const;  // -1: none
  // Layers in an order in which each comes after those that reach it without delay.
  std::vector<int> order_within_step() const;
  // Layers in an order in which each comes after its feedforward input, and after its other sources as far as cycles of
  // connections allow; where they do not, the layer listed first goes first.
  std::vector<int> feedforward_order() const;
  // Connections into a layer: the feedforward one first, the others by name of their source.
  std::vector<Connection> incoming(std::string_view layer) const;
  // The first timestep at which the output of each layer depends on an image shown from step 0.
  std::vector<int> arrival_steps() const;
  int readout_arrival() const;
  // The least T of a network that is not cut short (spec/convrnn.md 1.5): the image reaches the readout and, where
  // there are cells, each has been used once with a state that the image has driven.
  int minimal_steps() const;
};

// Converts a conduction time to timesteps. Throws InputError, naming `what`, when it is not a whole number of them.
int delay_in_steps(double delay_ms, double step_ms, std::string_view what);

}  // namespace chiasm

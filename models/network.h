// SPDX-License-Identifier: Apache-2.0
// Network: what the "model" section of a recipe describes, and the engine graphs made from it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/optimizer.h"
#include "models/decoder.h"
#include "models/objectives/objective.h"
#include "models/unroll.h"

namespace chiasm {

class ConfigNode;

struct Network {
  TemporalGraph graph;
  Presentation presentation;
  bool frames = false;  // the input has a value of its own for each timestep
  double step_ms = 10.0;
  Decoder decoder;
  Objective objective = softmax_cross_entropy();  // of the decoded logits
  // Which weights have backward weights of their own: BuildOptions::untied. Null: none has.
  std::function<bool(std::string_view path)> untied;

  int first_decoded_step() const;  // see Decoder
  // What the network sees of a sample: an image, shown as `presentation` says, or a vector; with `frames` one of them
  // for each timestep, [T, ...].
  Shape input_shape() const;
  // The field of the data that it is: "image", or "input" for vectors and frames.
  std::string input_field() const;
};

// Reads a "model" object. Throws InputError naming the field.
Network read_network(const ConfigNode& model);

// The network on its input, [N, ...input_shape()].
Unrolled run_network(const Network& network, const Scope& scope, Value input);

// Declares every parameter and statistic of a network, whatever its T, without what training adds.
void declare_parameters(const Network& network, Parameters& parameters, BuildOptions options = {});

// Of one sample, at each timestep.
Shape readout_shape(const Network& network);

// The size of a network, without allocating it.
struct LayerSummary {
  std::string name;
  std::int64_t parameters = 0;
  std::int64_t units = 0;  // activations at the resolution of its convolution or cell; of a readout, its outputs
  Shape output;            // H x W x C, or C
  int arrival_step = 0;
};
struct NetworkSummary {
  std::int64_t parameters = 0;
  std::int64_t units = 0;
  std::vector<LayerSummary> layers;
};
NetworkSummary summarise(const Network& network);

}  // namespace chiasm

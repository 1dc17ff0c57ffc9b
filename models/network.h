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
  double step_ms = 10.0;
  Decoder decoder;
  Objective objective = softmax_cross_entropy();  // of the decoded logits
  // Which weights have backward weights of their own: BuildOptions::untied. Null: none has.
  std::function<bool(std::string_view path)> untied;

  int first_decoded_step() const;  // see Decoder
};

// Reads a "model" object. Throws InputError naming the field.
Network read_network(const ConfigNode& model);

// The plain unroll of a network in training: inputs "image" [N, H, W, C] and "label" int32 [N]; outputs "loss" [] (the
// mean over the batch of the objective of the decoded logits) and "logits" [N, classes], the decoded ones.
Graph build_loss(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options);

// A training step on `batch` images: build_loss, simplified by the passes of `options` that run before gradients, and
// its updates, with the inputs of append_updates.
Graph build_training_step(const Network& network, Parameters& parameters, std::int64_t batch,
                          const Optimizer& optimizer, const BuildOptions& options);

// A forward pass: input "image"; outputs "logits" [T, N, classes], the readout at every step; "decoded" [N, classes];
// where the decoder chooses among steps, "decision" int32 [N], the step chosen, counted from first_decoded_step().
Graph build_evaluation(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options);

// Declares every parameter and statistic of a network, whatever its T, without what training adds.
void declare_parameters(const Network& network, Parameters& parameters, BuildOptions options = {});

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

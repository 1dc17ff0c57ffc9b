// SPDX-License-Identifier: Apache-2.0
// What becomes of each layer at each timestep of an unrolled network once passes have simplified it: the layer-by-time
// picture of `chiasm plan`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/tasks/task.h"

namespace chiasm {

enum class LayerStep : std::uint8_t {
  kFullBatch,  // computed for every sample
  kBatchOne,   // the same for every sample, computed for one
  kReused,     // the same as at another step, and taken from there
  kDropped,    // nothing that is asked for depends on it
};

struct LayerSteps {
  std::vector<std::string> layers;
  std::vector<std::vector<LayerStep>> at;  // [layer][step]

  std::int64_t count(LayerStep kind) const;
  // Of the plain unroll: layers times steps.
  std::int64_t naive() const;
};

// A layer-step is a layer of the graph, readout included, at one timestep of the forward pass. It counts as full batch
// when any op of it runs on the full batch. `batch` must be above 1 for full batch and batch of one to differ.
LayerSteps layer_steps(const Task& task, const Network& network, std::int64_t batch, const std::string& passes);

}  // namespace chiasm

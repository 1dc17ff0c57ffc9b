// SPDX-License-Identifier: Apache-2.0
// Activity: a network as a graph whose outputs are chosen layers at chosen timesteps.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/network.h"

namespace chiasm {

// What is recorded of a layer: its output after all post stages, or its units, at the resolution of its cell or
// convolution.
struct ActivityLayer {
  int index = 0;  // in TemporalGraph::layers
  bool units = false;
  std::string name;  // "conv4" or "conv4:units"
  bool operator==(const ActivityLayer&) const = default;
};

// Layers by name, or by patterns with * and ?, each with ":units" behind it where units are meant; "all" is "*". In the
// order of the patterns, each once. Throws InputError for a pattern that no layer has, listing the layers.
std::vector<ActivityLayer> select_layers(const TemporalGraph& graph, std::span<const std::string> patterns);

// "all", "last", or steps and ranges joined by commas: "0,3,7", "5..15". Ascending, each once. Throws InputError for
// what is not one of them, and for steps beyond the last, total - 1.
std::vector<int> select_steps(const std::string& text, int total);

// The presentation of a network with the image shown for `image_steps` steps and `total` steps in all, where given.
// Throws InputError when the image would not be shown.
Presentation present(const Presentation& presentation, std::optional<int> image_steps, std::optional<int> total);

// How the image of a layer is summarised in the graph. Layers without space stay as they are.
struct SpatialPool {
  enum class Kind { kNone, kMean, kMax, kGrid };
  Kind kind = Kind::kNone;
  std::int64_t side =
      1;  // kGrid: means over side x side boxes (AdaptiveAveragePool2d), fewer where the image is smaller
  bool operator==(const SpatialPool&) const = default;
};
Shape pooled_shape(const SpatialPool& pool, const Shape& shape);

// The shape of a layer's activity, without the batch axis and after pooling.
Shape activity_shape(const LayerShapes& shapes, const ActivityLayer& layer, const SpatialPool& pool);

// The name of an output of build_activity.
std::string activity_name(const ActivityLayer& layer, int step);

// A forward pass with input "image" [N, H, W, C] and an output [N, ...] for every layer and step.
Graph build_activity(const Network& network, Parameters& parameters, std::int64_t batch,
                     std::span<const ActivityLayer> layers, std::span<const int> steps, const SpatialPool& pool,
                     BuildOptions options);

}  // namespace chiasm

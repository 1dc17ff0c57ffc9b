// SPDX-License-Identifier: Apache-2.0
// Reading a network from the "model" section of a recipe.
#include <algorithm>
#include <map>

#include "engine/config/config.h"
#include "models/network.h"
#include "models/parsing.h"

namespace chiasm {
namespace {

// "delay" in steps or "delay_ms" in milliseconds, not both.
int read_delay(const ConfigNode& config, double step_ms, int absent) {
  const bool steps = config.has("delay"), ms = config.has("delay_ms");
  if (steps && ms) config.fail_because("give \"delay\" in steps or \"delay_ms\" in milliseconds, not both");
  if (ms) {
    return delay_in_steps(config.real("delay_ms"), step_ms, config.origin() + ": " + config.path() + ".delay_ms");
  }
  return static_cast<int>(config.integer_or("delay", absent, {0, 100000}));
}

Layer read_layer(const ConfigNode& node, const std::string& previous) {
  Layer layer;
  layer.name = node.text("name");
  layer.input = node.text_or("input", previous);
  std::map<std::string, int> seen{{"cell", 1}};
  layer.pre = make_stages(node, "pre", seen);
  if (node.choice_or("join", "concatenate", {"concatenate", "sum"}) == "sum") layer.join = Layer::Join::kSum;
  if (node.has("cell")) {
    layer.cell = make_cell(node.object("cell"));
    layer.learned_state = node.choice_or("initial_state", "zero", {"zero", "learned"}) == "learned";
  }
  layer.post = make_stages(node, "post", seen);
  return layer;
}

// Layers, or parameter paths below them, whose linear operators have backward weights of their own.
std::function<bool(std::string_view)> read_untied(const ConfigNode& model) {
  if (!model.has("backward_weights")) return nullptr;
  if (!model.at("backward_weights").is_list()) {
    if (model.choice("backward_weights", {"tied", "untied"}) == "tied") return nullptr;
    return [](std::string_view) { return true; };
  }
  return [prefixes = model.texts("backward_weights")](std::string_view path) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
      return prefix.empty() || path == prefix || path.starts_with(prefix + "/");
    });
  };
}

// "image": [height, width, channels], or "vector": its length; "frames": one of them for each timestep.
void read_input(const ConfigNode& model, Network& network) {
  if (model.has("image") && model.has("vector")) {
    model.fail_because("give \"image\" or \"vector\", not both: a network has one input");
  }
  if (model.has("vector")) {
    network.graph.image = {model.integer("vector", {1, 1 << 24})};
  } else {
    network.graph.image = Shape(model.integers("image", {1, 8192}, {3, 3}));
  }
  network.frames = model.boolean_or("frames", false);
  if (!network.frames) return;
  for (const char* key : {"image_on", "image_off", "blank"}) {
    if (model.has(key))
      model.fail_because(std::string("\"") + key + "\" is of an image that is shown for a while, not of \"frames\"");
  }
}

// When the image is shown, and what is seen at other times.
void read_presentation(const ConfigNode& model, Presentation& p) {
  p.on = static_cast<int>(model.integer_or("image_on", 0, {0, 100000}));
  p.off = static_cast<int>(model.integer_or("image_off", -1, {-1, 100000}));
  if (p.off >= 0 && p.off <= p.on) {
    model.fail_because("the image would never be shown: image_off is " + std::to_string(p.off) + " and image_on is " +
                       std::to_string(p.on) + "; image_off must be larger, or -1 to keep the image on");
  }
  p.blank = model.real_or("blank", 0.5);
}

}  // namespace

Network read_network(const ConfigNode& model) {
  Network network;
  TemporalGraph& graph = network.graph;
  read_input(model, network);
  network.step_ms = model.real_or("step_ms", 10.0, RealRange::positive());
  Presentation& p = network.presentation;
  const bool minimal = model.choice_or("unroll", "steps", {"steps", "minimal"}) == "minimal";
  // A minimally unrolled control of a recipe leaves its "steps" in place.
  if (!minimal || model.has("steps")) p.steps = static_cast<int>(model.integer("steps", {1, 100000}));
  if (!network.frames) read_presentation(model, p);
  network.decoder = read_decoder(model);
  network.objective = read_objective(model);
  network.untied = read_untied(model);

  const auto feedforward_delay = static_cast<int>(model.integer_or("feedforward_delay", 1, {0, 100000}));
  std::string previous(kImage);
  for (const ConfigNode& node : model.objects("layers", {1, 10000})) {
    graph.layers.push_back(read_layer(node, previous));
    const Layer& layer = graph.layers.back();
    const int delay = read_delay(node, network.step_ms, layer.input == kImage ? 0 : feedforward_delay);
    graph.connections.push_back({layer.input, layer.name, delay});
    previous = layer.name;
  }
  for (const ConfigNode& node : model.objects_or_none("connections")) {
    graph.connections.push_back({node.text("source"), node.text("target"), read_delay(node, network.step_ms, 1)});
  }
  graph.readout = model.text_or("readout", previous);
  try {
    graph.validate();
    infer_shapes(graph);  // throws where shapes do not fit
    if (minimal) p.steps = p.on + graph.minimal_steps();
    const int arrival = p.on + graph.readout_arrival();
    if (arrival >= p.steps) {
      throw InputError("the image reaches the readout \"" + graph.readout + "\" at step " + std::to_string(arrival) +
                       ", and there are only " + std::to_string(p.steps) + " steps (0 to " +
                       std::to_string(p.steps - 1) + ")");
    }
  } catch (const FileError&) {
    throw;
  } catch (const InputError& error) {
    model.fail_because(error.what());
  }
  return network;
}

}  // namespace chiasm

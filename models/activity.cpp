// SPDX-License-Identifier: Apache-2.0
#include "models/activity.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "engine/glob.h"
#include "engine/ops.h"
#include "kernels/pooling/adaptive_average_pool2d.h"
#include "kernels/pooling/global_average_pool.h"
#include "kernels/reduction/max.h"

namespace chiasm {
namespace {

constexpr std::string_view kUnits = ":units";

int number(std::string_view text, const std::string& whole, int total) {
  int value = -1;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || value < 0 || value >= total) {
    throw InputError("steps \"" + whole + "\": \"" + std::string(text) + "\" is no step from 0 to " +
                     std::to_string(total - 1) + "; allowed are all, last, and steps and ranges such as 0,3,5..15");
  }
  return value;
}

Value pool_value(const SpatialPool& pool, Value x) {
  if (x.shape().rank() != 4) return x;
  const Shape to = pooled_shape(pool, {x.shape()[1], x.shape()[2], x.shape()[3]});
  switch (pool.kind) {
    case SpatialPool::Kind::kNone:
      return x;
    case SpatialPool::Kind::kMean:
      return x.graph().apply(GlobalAveragePool{}, {x});
    case SpatialPool::Kind::kMax:
      return x.graph().apply(Max{.axes = {1, 2}}, {x});
    case SpatialPool::Kind::kGrid:
      return x.graph().apply(AdaptiveAveragePool2d{to[0], to[1]}, {x});
  }
  throw InternalError("unknown kind of pooling");
}

}  // namespace

std::vector<ActivityLayer> select_layers(const TemporalGraph& graph, std::span<const std::string> patterns) {
  std::vector<ActivityLayer> selected;
  for (const std::string& whole : patterns) {
    std::string_view pattern = whole;
    const bool units = pattern.ends_with(kUnits);
    if (units) pattern.remove_suffix(kUnits.size());
    if (pattern == "all") pattern = "*";
    bool any = false;
    for (std::size_t i = 0; i < graph.layers.size(); ++i) {
      const std::string& name = graph.layers[i].name;
      if (!fits_glob(pattern, name)) continue;
      any = true;
      ActivityLayer layer{static_cast<int>(i), units, name + (units ? std::string(kUnits) : "")};
      if (std::ranges::find(selected, layer) == selected.end()) selected.push_back(std::move(layer));
    }
    if (any) continue;
    std::string known;
    for (const Layer& layer : graph.layers) known += (known.empty() ? "" : ", ") + layer.name;
    throw InputError("no layer is called \"" + std::string(pattern) + "\"; the network has " + known +
                     " (patterns with * and ? are allowed, and :units behind a name)");
  }
  return selected;
}

std::vector<int> select_steps(const std::string& text, int total) {
  std::set<int> steps;
  if (text == "last") return {total - 1};
  for (std::size_t begin = 0; text != "all" && begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = std::string_view(text).substr(begin, end - begin);
    const std::size_t dots = part.find("..");
    const int first = number(part.substr(0, dots), text, total);
    const int last = dots == std::string_view::npos ? first : number(part.substr(dots + 2), text, total);
    if (last < first) throw InputError("steps \"" + text + "\": the range " + std::string(part) + " is empty");
    for (int t = first; t <= last; ++t) steps.insert(t);
    begin = end + 1;
  }
  for (int t = 0; text == "all" && t < total; ++t) steps.insert(t);
  return {steps.begin(), steps.end()};
}

Presentation present(const Presentation& presentation, std::optional<int> image_steps, std::optional<int> total) {
  Presentation result = presentation;
  if (image_steps) {
    if (*image_steps < 1)
      throw InputError("the image is shown for 1 step or more, found " + std::to_string(*image_steps));
    result.off = result.on + *image_steps;
  }
  if (total) result.steps = *total;
  if (result.steps <= result.on) {
    throw InputError("the image comes at step " + std::to_string(result.on) + ", and there are " +
                     std::to_string(result.steps) + " steps");
  }
  return result;
}

Shape pooled_shape(const SpatialPool& pool, const Shape& shape) {
  if (shape.rank() != 3 || pool.kind == SpatialPool::Kind::kNone) return shape;
  if (pool.kind == SpatialPool::Kind::kGrid) {
    return {std::min(pool.side, shape[0]), std::min(pool.side, shape[1]), shape[2]};
  }
  return {shape[2]};
}

Shape activity_shape(const LayerShapes& shapes, const ActivityLayer& layer, const SpatialPool& pool) {
  return pooled_shape(pool, layer.units ? shapes.units : shapes.output);
}

std::string activity_name(const ActivityLayer& layer, int step) { return layer.name + " @t" + std::to_string(step); }

Graph build_activity(const Network& network, Parameters& parameters, std::int64_t batch,
                     std::span<const ActivityLayer> layers, std::span<const int> steps, const SpatialPool& pool,
                     BuildOptions options) {
  options.training = false;
  options.untied = network.untied;
  Graph graph;
  const Scope scope(graph, parameters, options);
  const Shape& s = network.graph.image;
  if (network.frames || s.rank() != 3) {
    throw InputError("activity is recorded from networks that see one image; this one sees " +
                     std::string(network.frames ? "a sequence" : "vectors"));
  }
  const Value image = graph.input("image", Spec{options.dtype, {batch, s[0], s[1], s[2]}});
  const Unrolled unrolled = unroll(network.graph, network.presentation, scope, image);
  for (const ActivityLayer& layer : layers) {
    const auto& values = (layer.units ? unrolled.units : unrolled.output)[static_cast<std::size_t>(layer.index)];
    for (int step : steps) {
      const LabelScope label(graph, scope.child(layer.name).child("pooled").at_step(step).label());
      graph.output(activity_name(layer, step), pool_value(pool, values[static_cast<std::size_t>(step)]));
    }
  }
  return graph;
}

}  // namespace chiasm

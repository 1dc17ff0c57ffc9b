// SPDX-License-Identifier: Apache-2.0
#include "tests/support/running_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "models/recipe_file.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

const std::string& recipe_folder() {
  static const std::string folder = source_folder() + "/models/recipes";
  return folder;
}

// Divides "channels" wherever a list of stages has them, also in the projection of a residual stage.
void narrow_stages(Config& recipe, const ConfigNode& owner, const std::string& key, const std::string& path,
                   const std::function<std::int64_t(std::int64_t)>& divided) {
  if (!owner.has(key)) return;
  const std::vector<ConfigNode> stages = owner.list(key);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!stages[i].is_object()) continue;
    const std::string here = path + "." + key + "[" + std::to_string(i) + "]";
    for (const char* width : {"channels", "units"}) {
      if (stages[i].has(width)) recipe.set_integer(here + "." + width, divided(stages[i].integer(width)));
    }
    narrow_stages(recipe, stages[i], "projection", here, divided);
  }
}

}  // namespace

Config shipped_recipe(const std::string& name, const std::vector<std::string>& overrides) {
  return load_recipe_file(recipe_folder() + "/" + name + ".json", overrides);
}

std::vector<std::string> shipped_recipes() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(recipe_folder())) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void narrow(Config& recipe, std::int64_t divisor) {
  const std::vector<ConfigNode> layers = recipe.root().object("model").objects("layers");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool readout = i + 1 == layers.size();
    const auto divided = [&](std::int64_t width) { return readout ? 10 : width / divisor; };
    const std::string path = "model.layers[" + std::to_string(i) + "]";
    narrow_stages(recipe, layers[i], "pre", path, divided);
    narrow_stages(recipe, layers[i], "post", path, divided);
    if (!layers[i].has("cell")) continue;
    const ConfigNode cell = layers[i].object("cell");
    if (cell.has("channels")) recipe.set_integer(path + ".cell.channels", divided(cell.integer("channels")));
    if (cell.text("type") == "rgc") recipe.set_integer(path + ".cell.cell_channels", 64 / divisor);
  }
}

Network network_of(const std::string& json) { return read_network(Config::parse(json, "test").root()); }

std::string refusal_of(const std::string& json) {
  try {
    network_of(json);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

RunningNetwork::RunningNetwork(const Network& network, std::int64_t batch, const std::string& passes) {
  Graph graph;
  const Scope scope(graph, parameters, {.dtype = DType::kFloat64, .untied = network.untied});
  const Shape& s = network.graph.image;
  const Value image = graph.input("image", Spec{DType::kFloat64, {batch, s[0], s[1], s[2]}});
  const Unrolled u = unroll(network.graph, network.presentation, scope, image);
  for (std::size_t i = 0; i < u.output.size(); ++i) {
    for (std::size_t t = 0; t < u.output[i].size(); ++t) {
      graph.output(network.graph.layers[i].name + "/" + std::to_string(t), u.output[i][t]);
    }
  }
  parameters.initialise(1);
  program.emplace(graph, ProgramOptions{.threads = 1, .passes = passes});
  program->bind_all(parameters.tensors());
}

void RunningNetwork::set(const std::string& name, const std::vector<double>& values) {
  ASSERT_TRUE(parameters.tensors().contains(name)) << name;
  const std::span<double> to = parameters.tensors()[name].values<double>();
  ASSERT_EQ(to.size(), values.size()) << name;
  std::copy(values.begin(), values.end(), to.begin());
}

void RunningNetwork::show(double shift) {
  const MutableView image = program->input("image");
  for (std::int64_t i = 0; i < image.elements(); ++i) {
    image.as<double>()[i] = std::sin(0.7 * static_cast<double>(i)) + 0.1;
  }
  image.as<double>()[image.elements() / 2] += shift;
}

View RunningNetwork::at(const std::string& layer, int step) const {
  return program->output(layer + "/" + std::to_string(step));
}

Tensor RunningNetwork::copy_of(const std::string& layer, int step) const {
  const View view = at(layer, step);
  return Tensor::of<double>(view.shape(), {view.as<double>(), static_cast<std::size_t>(view.elements())});
}

}  // namespace chiasm::test

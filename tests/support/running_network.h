// SPDX-License-Identifier: Apache-2.0
// A network from a recipe's "model" section, run with every layer's output at every timestep in sight.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/program.h"
#include "models/network.h"

namespace chiasm::test {

// A recipe that chiasm ships, by its name, with its parts put together.
Config shipped_recipe(const std::string& name, const std::vector<std::string>& overrides = {});
// The names of all of them.
std::vector<std::string> shipped_recipes();
// Divides the widths of a recipe's convolutions and cells, those of the readout becoming 10: the same network, small
// enough to run in a test.
void narrow(Config& recipe, std::int64_t divisor);

// Reads a "model" object from JSON.
Network network_of(const std::string& json);
// The message of the InputError that reading it throws, or "accepted".
std::string refusal_of(const std::string& json);

// A network built for evaluation in float64 with weights from seed 1. Outputs are named "<layer>/<step>".
struct RunningNetwork {
  Parameters parameters;
  std::optional<Program> program;

  explicit RunningNetwork(const Network& network, std::int64_t batch = 1, const std::string& passes = "all");
  // Sets a parameter. Fails the test when there is none of this name.
  void set(const std::string& name, const std::vector<double>& values);
  // Sets the image to a smooth pattern with `shift` added to one of its values.
  void show(double shift = 0.0);
  void run() { program->run(); }
  View at(const std::string& layer, int step) const;
  // A copy that outlives the next run.
  Tensor copy_of(const std::string& layer, int step) const;
};

}  // namespace chiasm::test

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/quadrants_recipe.h"

#include <nlohmann/json.hpp>

namespace chiasm::test {

std::string quadrants_recipe(const std::string& images, const std::string& labels) {
  nlohmann::json json = nlohmann::json::parse(R"({
      "chiasm": 1, "name": "quadrants",
      "data": {"format": "idx", "normalise": {"mean": [0.3], "std": [0.25]}, "augment": {"pad": 1}, "train": {}, "test": {"limit": 40}},
      "model": {"image": [8, 8, 1], "steps": 5, "layers": [
        {"name": "conv1", "pre": [{"op": "conv", "channels": 4, "kernel": 3}, {"op": "batch_norm"}, "elu"], "post": [{"op": "max_pool", "size": 2}]},
        {"name": "conv2", "pre": [{"op": "conv", "channels": 6, "kernel": 3}, {"op": "dropout", "rate": 0.1}],
         "cell": {"type": "rgc", "cell_channels": 3, "tau": {"kernel": 3, "separable": true}, "gate": {"kernel": 3, "separable": true}}},
        {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 4}]}],
        "connections": [{"source": "conv2", "target": "conv2"}]},
      "train": {"batch": 8, "epochs": 4, "seed": 3, "optimizer": {"type": "sgd", "momentum": 0.9}, "learning_rate": 0.02,
                "snapshot_every_steps": 5, "log_every_steps": 3}})");
  for (const char* part : {"train", "test"}) {
    json["data"][part]["path"] = images;
    json["data"][part]["labels"] = labels;
  }
  return json.dump();
}

}  // namespace chiasm::test

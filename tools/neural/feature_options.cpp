// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/feature_options.h"

#include <algorithm>

#include "engine/glob.h"
#include "kernels/error.h"
#include "tools/neural/response_options.h"

namespace chiasm {

void FeatureOptions::add_to(Verb verb, bool required) {
  verb.option("--features", file, "What chiasm extract wrote, or .npy, .npz, .h5 or .mat arrays of stimuli x units")
      .required(required);
  verb.option("--features-key", read.key, "Which array of the file");
  verb.option("--features-axes", read.axes, "Which axis is which, such as unit,stimulus");
  verb.option("--features-stimuli", read.ids, "Ids of the stimuli, where the features have none");
  verb.option("--layers", layers, "Names or patterns (conv*) joined by commas; default: all").joined_by(',');
  verb.option("--steps", steps,
              "Time steps to average over: last, or steps and ranges 5..15; default: from the image's arrival on");
}

std::shared_ptr<const FeatureLayers> FeatureOptions::open() const { return open_feature_layers(file, read); }

std::vector<std::size_t> FeatureOptions::select_layers(const FeatureLayers& features) const {
  const auto& all = features.layers();
  std::vector<bool> wanted(all.size(), layers.empty());
  for (const std::string& pattern : layers) {
    bool found = false;
    for (std::size_t l = 0; l < all.size(); ++l) {
      if (!fits_glob(pattern, all[l].name)) continue;
      wanted[l] = found = true;
    }
    if (!found) {
      std::string names;
      for (const FeatureLayers::Layer& layer : all) names += (names.empty() ? "" : ", ") + layer.name;
      throw InputError("--layers: found \"" + pattern + "\"; " + file + " has " + names);
    }
  }
  std::vector<std::size_t> selected;
  for (std::size_t l = 0; l < all.size(); ++l) {
    if (wanted[l]) selected.push_back(l);
  }
  return selected;
}

std::vector<std::size_t> FeatureOptions::select_steps(const FeatureLayers& features, std::size_t layer) const {
  const std::vector<int>& all = features.steps();
  std::vector<std::size_t> selected;
  if (steps == "last") return {all.size() - 1};
  if (steps.empty()) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i] >= features.layers()[layer].arrival_step) selected.push_back(i);
    }
    if (selected.empty()) {
      throw InputError(file + ": layer " + features.layers()[layer].name + " sees the image from step " +
                       std::to_string(features.layers()[layer].arrival_step) + " on, and the last step is " +
                       std::to_string(all.back()) + "; choose steps with --steps");
    }
    return selected;
  }
  for (const std::int64_t number : parse_numbers(steps, "--steps")) {
    const auto at = std::ranges::find(all, number);
    if (at == all.end()) {
      throw InputError("--steps: found " + std::to_string(number) + "; " + file + " has steps " +
                       std::to_string(all.front()) + " to " + std::to_string(all.back()));
    }
    selected.push_back(static_cast<std::size_t>(at - all.begin()));
  }
  return selected;
}

}  // namespace chiasm

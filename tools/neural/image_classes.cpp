// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/image_classes.h"

#include <algorithm>

#include "analysis/data/array_container.h"
#include "analysis/data/read_neural.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

std::vector<std::string> names_of(const FeatureLayers& features, const std::string& file) {
  if (file.empty()) {
    std::vector<std::string> names;
    for (const std::string& id : features.stimuli().ids) {
      const std::size_t slash = id.rfind('/');
      if (slash == id.npos) {
        throw InputError(features.path() + ": the id \"" + id + "\" has no folder that says its class; give --labels");
      }
      names.push_back(id.substr(0, slash));
    }
    if (names.empty()) throw InputError(features.path() + " has no ids that say the class of an image; give --labels");
    return names;
  }
  std::vector<std::string> names = file.ends_with(".npy") ? open_arrays(file)->labels("") : read_stimulus_ids(file);
  if (std::ssize(names) != features.stimuli().count) {
    throw InputError("--labels: " + file + " has " + std::to_string(names.size()) + " labels for " +
                     std::to_string(features.stimuli().count) + " images of " + features.path());
  }
  return names;
}

}  // namespace

ImageClasses read_classes(const FeatureLayers& features, const std::string& file) {
  const std::vector<std::string> names = names_of(features, file);
  ImageClasses classes{{}, names};
  std::ranges::sort(classes.names);
  classes.names.erase(std::unique(classes.names.begin(), classes.names.end()), classes.names.end());
  for (const std::string& name : names) {
    const auto at = std::ranges::lower_bound(classes.names, name);
    classes.labels.push_back(static_cast<std::int32_t>(at - classes.names.begin()));
  }
  return classes;
}

}  // namespace chiasm

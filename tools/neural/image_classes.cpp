// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/image_classes.h"

#include <algorithm>
#include <array>
#include <iostream>

#include "analysis/data/array_container.h"
#include "analysis/data/read_neural.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

void warn_of_position(const std::string& name, const FeatureLayers& features) {
  std::cerr << "warning: " << name << " has no ids: its " << features.stimuli().count
            << " values are taken in the order of the stimuli of " << features.path() << '\n';
}

// Several arrays with names, so that labels and ids can lie side by side.
bool is_container(const std::string& file) {
  return std::ranges::any_of(std::array{".npz", ".h5", ".hdf5", ".mat"},
                             [&](const char* ending) { return file.ends_with(ending); });
}

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
  if (is_container(file)) {
    const auto arrays = open_arrays(file);
    const std::vector<std::string> labels = arrays->labels("labels");
    std::vector<std::string> names;
    bool warned = false;
    for (const std::int64_t row :
         rows_for_stimuli(features, *arrays, arrays->label("labels"), std::ssize(labels), warned)) {
      names.push_back(labels[static_cast<std::size_t>(row)]);
    }
    return names;
  }
  std::vector<std::string> names = file.ends_with(".npy") ? open_arrays(file)->labels("") : read_stimulus_ids(file);
  if (std::ssize(names) != features.stimuli().count) {
    throw InputError("--labels: " + file + " has " + std::to_string(names.size()) + " labels for " +
                     std::to_string(features.stimuli().count) + " images of " + features.path());
  }
  warn_of_position("--labels: " + file, features);
  return names;
}

}  // namespace

std::vector<std::int64_t> rows_for_stimuli(const FeatureLayers& features, const ArrayContainer& file,
                                           const std::string& name, std::int64_t count, bool& warned) {
  StimulusList given{name, count, stimulus_ids_of(file)};
  if (!given.ids.empty() && std::ssize(given.ids) != count) {
    throw FileError(name, "stimulus ids",
                    "there are " + std::to_string(given.ids.size()) + " for " + std::to_string(count) + " values");
  }
  return places_of_stimuli(features.stimuli(), given, [&](const std::string& warning) {
    if (!warned) std::cerr << warning << '\n';
    warned = true;
  });
}

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

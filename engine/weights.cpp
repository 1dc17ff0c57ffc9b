// SPDX-License-Identifier: Apache-2.0
#include "engine/weights.h"

#include <algorithm>
#include <vector>

#include "engine/io/safetensors.h"
#include "engine/io/state_file.h"
#include "engine/optimizer.h"

namespace chiasm {
namespace {

std::string and_others(std::size_t count) {
  return count < 2 ? "" : " (the first of " + std::to_string(count) + " such tensors)";
}

void require_same_names(const std::string& file, const std::map<std::string, Tensor>& found,
                        const Parameters& parameters) {
  std::vector<std::string> missing, unexpected;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.role == ParameterRole::kBackward || is_optimizer_state(parameter.name)) continue;
    if (!parameter.copy_of.empty()) continue;
    if (!found.contains(parameter.name)) missing.push_back(parameter.name);
  }
  for (const auto& [name, tensor] : found) {
    if (!is_optimizer_state(name) && parameters.find(name) == nullptr) unexpected.push_back(name);
  }
  if (!missing.empty()) {
    const Parameter& first = *parameters.find(missing.front());
    throw FileError(
        file, missing.front(),
        "found none, wanted: " + to_string(first.spec) + and_others(missing.size()) +
            (unexpected.empty() ? ""
                                : "; the file has \"" + unexpected.front() + "\", which the network does not have" +
                                      and_others(unexpected.size())));
  }
  if (!unexpected.empty()) {
    throw FileError(file, unexpected.front(),
                    "found " + to_string(found.at(unexpected.front()).spec()) +
                        ", wanted: none, the network has no such tensor" + and_others(unexpected.size()));
  }
}

}  // namespace

void copy_floating(const Tensor& from, Tensor& to) {
  visit_floating(from.dtype(), [&]<class From>() {
    visit_floating(to.dtype(), [&]<class To>() {
      std::ranges::transform(from.values<From>(), to.values<To>().begin(), [](From v) { return static_cast<To>(v); });
    });
  });
}

void load_weights(const std::string& file, Parameters& parameters) {
  const std::map<std::string, Tensor> found = read_state(file);
  require_same_names(file, found, parameters);
  std::vector<std::string> loaded;
  for (const Parameter& parameter : parameters.all()) {
    const auto entry = found.find(parameter.name);
    if (entry == found.end() || is_optimizer_state(parameter.name)) continue;
    const Tensor& tensor = entry->second;
    if (tensor.shape() != parameter.spec.shape || !is_floating(tensor.dtype())) {
      throw FileError(file, parameter.name,
                      "found " + to_string(tensor.spec()) + ", wanted: " + to_string(parameter.spec));
    }
    loaded.push_back(parameter.name);
  }
  for (const std::string& name : loaded) copy_floating(found.at(name), parameters.tensors().at(name));
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.copy_of.empty() || found.contains(parameter.name)) continue;
    copy_floating(parameters.tensors().at(parameter.copy_of), parameters.tensors().at(parameter.name));
  }
}

void save_weights(const std::string& file, const Parameters& parameters,
                  const std::map<std::string, std::string>& metadata) {
  Safetensors content;
  content.metadata = metadata;
  for (const auto& [name, tensor] : parameters.tensors()) {
    if (!is_optimizer_state(name)) content.tensors.emplace(name, tensor);
  }
  write_safetensors(file, content);
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/snapshot.h"

#include <charconv>
#include <cstring>
#include <filesystem>

#include "engine/io/safetensors.h"

namespace chiasm {
namespace {

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kSuffix = ".safetensors";

std::int64_t read_count(const std::string& path, const Safetensors& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) throw FileError(path, "__metadata__", "\"" + key + "\" is missing: not a snapshot");
  const std::string& text = found->second;
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    throw FileError(path, "__metadata__." + key, "found \"" + text + "\", allowed: a count");
  }
  return value;
}

}  // namespace

void save_snapshot(const std::string& path, const Parameters& parameters, const RunPosition& position,
                   const std::map<std::string, std::string>& extra) {
  Safetensors file;
  file.tensors = parameters.tensors();
  file.metadata = extra;
  file.metadata["step"] = std::to_string(position.step);
  file.metadata["epoch"] = std::to_string(position.epoch);
  file.metadata["batch"] = std::to_string(position.batch);
  write_safetensors(path, file);
}

RunPosition load_snapshot(const std::string& path, Parameters& parameters) {
  const Safetensors file = read_safetensors(path);
  const RunPosition position{read_count(path, file, "step"), read_count(path, file, "epoch"),
                             read_count(path, file, "batch")};
  for (const auto& [name, tensor] : parameters.tensors()) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) throw FileError(path, name, "this tensor of the network is missing");
    if (!(found->second.spec() == tensor.spec())) {
      throw FileError(path, name,
                      "found " + to_string(found->second.spec()) + ", allowed: " + to_string(tensor.spec()));
    }
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (!parameters.tensors().contains(name)) throw FileError(path, name, "the network has no such tensor");
  }
  for (auto& [name, tensor] : parameters.tensors()) {
    std::memcpy(tensor.bytes().data(), file.tensors.at(name).bytes().data(), tensor.bytes().size());
  }
  return position;
}

std::map<std::int64_t, std::string> list_snapshots(const std::string& folder) {
  std::map<std::int64_t, std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const char* begin = name.data() + kPrefix.size();
    const char* end = name.data() + name.size() - kSuffix.size();
    std::int64_t step = 0;
    const auto [stop, failed] = std::from_chars(begin, end, step);
    if (failed == std::errc() && stop == end) found[step] = entry.path().string();
  }
  return found;
}

std::string snapshot_name(std::int64_t step) {
  return std::string(kPrefix) + std::to_string(step) + std::string(kSuffix);
}

}  // namespace chiasm

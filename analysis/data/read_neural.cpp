// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/read_neural.h"

#include <filesystem>
#include <fstream>

#include "analysis/data/neural_formats.h"
#include "engine/data/image_source.h"
#include "engine/io/input_file.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMostIdBytes = std::int64_t{1} << 28;

std::vector<std::string> lines_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kMostIdBytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) throw FileError(path, "line " + std::to_string(lines.size() + 1), "is empty; an id is needed");
    lines.emplace_back(line);
    begin = end + 1;
  }
  return lines;
}

NeuralDataset read_any(const std::string& path, const NeuralReadOptions& options) {
  return read_array_responses(*open_arrays(path), options);
}

}  // namespace

std::vector<std::string> read_stimulus_ids(const std::string& path) {
  if (path.ends_with(".npy")) return open_arrays(path)->labels("");
  if (std::filesystem::is_directory(path) || path.ends_with(".zip")) {
    // Their size does not matter: only the names are asked for.
    const std::unique_ptr<ImageSource> images = open_images({.path = path, .shape = {1, 1, 1}});
    std::vector<std::string> ids;
    for (std::int64_t i = 0; i < images->size(); ++i) ids.push_back(images->id(i));
    return ids;
  }
  return lines_of(path);
}

NeuralDataset read_neural(const std::string& path, const NeuralReadOptions& options) {
  NeuralDataset dataset = read_any(path, options);
  if (!options.ids.empty()) {
    dataset.stimulus_ids = read_stimulus_ids(options.ids);
    if (std::ssize(dataset.stimulus_ids) != dataset.stimuli()) {
      throw InputError(options.ids + " has " + std::to_string(dataset.stimulus_ids.size()) + " ids, " + path + " has " +
                       std::to_string(dataset.stimuli()) + " stimuli");
    }
  }
  const auto units = static_cast<std::size_t>(dataset.units());
  if (dataset.areas.empty() && !options.area.empty()) dataset.areas.assign(units, options.area);
  if (dataset.specimens.empty() && !options.specimen.empty()) dataset.specimens.assign(units, options.specimen);
  check_dataset(dataset, path);
  return dataset;
}

}  // namespace chiasm

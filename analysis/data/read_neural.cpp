// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/read_neural.h"

#include <filesystem>
#include <fstream>

#include "analysis/data/neural_formats.h"
#include "engine/data/image_source.h"
#include "engine/io/input_file.h"
#include "engine/io/utf8.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMostIdBytes = std::int64_t{1} << 28;

std::vector<std::string> lines_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kMostIdBytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const std::string other = other_encoding(text); !other.empty()) throw FileError(path, "", other);
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
  const FileFormat format = format_of_file(path);
  if (format == FileFormat::kText) return read_csv_responses(path, options);
  if (format == FileFormat::kHdf5) {
    const Hdf5Reader file(path);
    if (is_nwb(file)) return read_nwb(file, options);
    if (is_nwb_roi(file)) return read_nwb_roi(file, options);
    if (is_assembly(file)) return read_assembly(file, options);
  }
  return read_array_responses(*open_arrays(path), options);
}

}  // namespace

void refuse_option(const std::string& value, const char* option, const std::string& file, const char* format) {
  if (value.empty()) return;
  throw InputError(file + ": " + format + " has no " + option + " to choose, found \"" + value + "\"");
}

std::vector<std::string> hdf5_labels(const Hdf5Reader& file, const std::string& path) {
  if (file.kind(path) == Hdf5Reader::Kind::kNothing) throw FileError(file.path(), path, "is missing");
  if (file.kind(path) == Hdf5Reader::Kind::kTexts) return file.texts(path);
  if (is_floating(file.spec(path).dtype)) return number_labels(file.read(path));
  std::vector<std::string> labels;
  for (const std::int64_t number : file.integers(path)) labels.push_back(std::to_string(number));
  return labels;
}

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

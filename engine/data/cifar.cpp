// SPDX-License-Identifier: Apache-2.0
#include "engine/data/cifar.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "engine/data/memory_dataset.h"
#include "engine/io/input_file.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 32, kChannels = 3, kPixels = kSide * kSide;
constexpr std::int64_t kRecord = 1 + kChannels * kPixels;
constexpr int kClasses = 10;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 32;

std::vector<std::string> batch_files(const DatasetConfig& config) {
  if (config.split == "test") return {(fs::path(config.path) / "test_batch.bin").string()};
  if (config.split != "train") {
    throw InputError(config.path + ": split of CIFAR-10 must be \"train\" or \"test\", found \"" + config.split + "\"");
  }
  std::vector<std::string> files;
  std::error_code failed;
  for (fs::directory_iterator it(config.path, failed), end; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("data_batch_") && name.ends_with(".bin")) files.push_back(it->path().string());
  }
  if (failed) throw FileError(config.path, "", "the folder cannot be read: " + failed.message());
  if (files.empty()) throw FileError(config.path, "", "the folder has no data_batch_*.bin");
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> published_names(const std::string& folder) {
  const std::string path = (fs::path(folder) / "batches.meta.txt").string();
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  }
  const std::vector<std::byte> content = read_file(path, 4096);
  std::istringstream words(std::string(reinterpret_cast<const char*>(content.data()), content.size()));
  std::vector<std::string> names;
  for (std::string name; words >> name;) names.push_back(name);
  if (std::ssize(names) != kClasses) {
    throw FileError(path, "", "10 class names are needed, found " + std::to_string(names.size()));
  }
  return names;
}

}  // namespace

std::unique_ptr<Dataset> open_cifar10(const DatasetConfig& config) {
  std::vector<std::vector<std::byte>> batches;
  std::vector<std::int32_t> labels;
  const std::vector<std::string> files = batch_files(config);
  for (const std::string& file : files) {
    batches.push_back(read_file(file, kMostBytes));
    const std::vector<std::byte>& bytes = batches.back();
    if (bytes.empty() || std::ssize(bytes) % kRecord != 0) {
      throw FileError(file, "",
                      "has " + std::to_string(bytes.size()) + " bytes, a positive multiple of " +
                          std::to_string(kRecord) + " is needed");
    }
    for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
      const int label = std::to_integer<int>(bytes[at]);
      if (label >= kClasses) {
        throw FileError(file, "byte " + std::to_string(at), "label " + std::to_string(label) + ", 0 to 9 are allowed");
      }
      labels.push_back(label);
    }
  }

  Tensor images(Spec{DType::kUInt8, {std::ssize(labels), kSide, kSide, kChannels}});
  std::uint8_t* out = images.values<std::uint8_t>().data();
  for (const std::vector<std::byte>& bytes : batches) {
    for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
      const std::byte* planes = bytes.data() + at + 1;
      for (std::int64_t pixel = 0; pixel < kPixels; ++pixel) {
        for (std::int64_t channel = 0; channel < kChannels; ++channel) {
          *out++ = std::to_integer<std::uint8_t>(planes[channel * kPixels + pixel]);
        }
      }
    }
  }
  return std::make_unique<MemoryDataset>(std::move(images), std::move(labels),
                                         config.class_names.empty() ? published_names(config.path) : config.class_names,
                                         files.front(), files.front());
}

}  // namespace chiasm

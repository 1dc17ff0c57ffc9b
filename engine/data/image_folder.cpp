// SPDX-License-Identifier: Apache-2.0
#include "engine/data/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "engine/io/image.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

namespace fs = std::filesystem;

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool is_image(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::array kEndings{".png", ".jpg", ".jpeg"};
  return !hidden(path) && std::ranges::find(kEndings, ending) != kEndings.end();
}

void require_readable(const std::string& folder, const std::error_code& error) {
  if (error) throw FileError(folder, "", "the folder cannot be read: " + error.message());
}

std::vector<std::string> sub_folders(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !hidden(it->path())) names.push_back(it->path().filename().string());
  }
  require_readable(folder, error);
  if (names.empty()) throw FileError(folder, "", "has no sub-folder; one per class is needed");
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> images_below(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (is_image(it->path()) && it->is_regular_file(ignored)) paths.push_back(it->path().string());
  }
  require_readable(folder, error);
  if (paths.empty()) throw FileError(folder, "", "has no .png, .jpg or .jpeg image");
  std::ranges::sort(paths);
  return paths;
}

class ImageFolder final : public Dataset {
 public:
  explicit ImageFolder(const DatasetConfig& config) : channels_(config.channels), class_names_(config.class_names) {
    if (channels_ != 1 && channels_ != 3) {
      throw InputError("dataset channels: found " + std::to_string(channels_) + ", 1 and 3 are allowed");
    }
    const std::string root = config.split.empty() ? config.path : (fs::path(config.path) / config.split).string();
    const std::vector<std::string> folders = sub_folders(root);
    if (class_names_.empty()) class_names_ = folders;
    for (const std::string& folder : folders) {
      const auto label = std::ranges::find(class_names_, folder);
      if (label == class_names_.end()) throw FileError(root, folder, "is not one of the class names");
      for (std::string& path : images_below((fs::path(root) / folder).string())) {
        samples_.push_back({std::move(path), static_cast<std::int32_t>(label - class_names_.begin())});
      }
    }
  }

  std::int64_t size() const override { return std::ssize(samples_); }
  Spec image() const override { return {DType::kFloat32, {0, 0, channels_}}; }
  const std::vector<std::string>& class_names() const override { return class_names_; }

  std::int32_t load(std::int64_t index, Pixels& image) const override {
    const Sample& sample = samples_[static_cast<std::size_t>(index)];
    image = pixels_of(read_image(sample.path));
    set_channels(image, channels_, sample.path);
    return sample.label;
  }

 private:
  struct Sample {
    std::string path;
    std::int32_t label;
  };

  std::int64_t channels_;
  std::vector<std::string> class_names_;
  std::vector<Sample> samples_;
};

}  // namespace

std::unique_ptr<Dataset> open_image_folder(const DatasetConfig& config) {
  return std::make_unique<ImageFolder>(config);
}

}  // namespace chiasm

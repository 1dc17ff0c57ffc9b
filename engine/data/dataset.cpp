// SPDX-License-Identifier: Apache-2.0
#include "engine/data/dataset.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/data/arrays.h"
#include "engine/data/cifar.h"
#include "engine/data/idx.h"
#include "engine/data/image_folder.h"
#include "engine/data/subset.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int32_t kMostClasses = 1 << 20;

// Every size/limit-th sample of another dataset.
class DatasetSubset final : public Dataset {
 public:
  DatasetSubset(std::unique_ptr<Dataset> whole, std::int64_t size)
      : whole_(std::move(whole)), positions_(evenly_spaced(size, whole_->size())) {}
  std::int64_t size() const override { return std::ssize(positions_); }
  Spec image() const override { return whole_->image(); }
  const std::vector<std::string>& class_names() const override { return whole_->class_names(); }
  std::int32_t load(std::int64_t index, Pixels& image) const override {
    return whole_->load(positions_[static_cast<std::size_t>(index)], image);
  }

 private:
  std::unique_ptr<Dataset> whole_;
  std::vector<std::int32_t> positions_;
};

struct Format {
  const char* name;
  std::unique_ptr<Dataset> (*open)(const DatasetConfig&);
};
constexpr std::array kFormats{
    Format{"idx", open_idx}, Format{"cifar10", open_cifar10}, Format{"folder", open_image_folder},
    Format{"npy", open_npy}, Format{"npz", open_npz},
};

}  // namespace

Fields Dataset::fields() const { return {{"image", {image(), true}}, {"label", {{DType::kInt32, {}}}}}; }

void Dataset::read(const SampleAddress& address, Sample& sample) const {
  const std::int32_t label = load(address.index, sample.image("image"));
  *sample.tensor("label", {DType::kInt32, {}}).view().as<std::int32_t>() = label;
}

std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config) {
  if (config.limit < 0)
    throw InputError("dataset limit: found " + std::to_string(config.limit) + ", 0 or more is allowed");
  std::string known;
  for (const Format& format : kFormats) {
    if (config.format == format.name) {
      std::unique_ptr<Dataset> dataset = format.open(config);
      if (config.limit == 0 || config.limit >= dataset->size()) return dataset;
      return std::make_unique<DatasetSubset>(std::move(dataset), config.limit);
    }
    known += (known.empty() ? "" : ", ") + std::string(format.name);
  }
  throw InputError("dataset format: found \"" + config.format + "\", allowed are " + known);
}

std::shared_ptr<const Source> open_source(const DatasetConfig& config) {
  if (!config.generator && config.format != "arrays") return open_dataset(config);
  std::shared_ptr<const Source> source =
      config.generator ? config.generator() : open_array_source(config.path, config.fields);
  if (config.limit == 0 || config.limit >= source->size()) return source;
  std::vector<std::int32_t> positions = evenly_spaced(config.limit, source->size());
  return std::make_shared<Subset>(std::move(source), std::move(positions));
}

std::vector<std::string> class_names_for(std::span<const std::int32_t> labels, std::vector<std::string> names,
                                         const std::string& file) {
  const std::int32_t most = names.empty() ? kMostClasses : static_cast<std::int32_t>(names.size());
  std::int32_t largest = -1;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= most) {
      throw FileError(file, "label " + std::to_string(i),
                      "found " + std::to_string(labels[i]) + ", 0 to " + std::to_string(most - 1) + " are allowed");
    }
    largest = std::max(largest, labels[i]);
  }
  if (names.empty()) {
    for (std::int32_t label = 0; label <= largest; ++label) names.push_back(std::to_string(label));
  }
  return names;
}

}  // namespace chiasm

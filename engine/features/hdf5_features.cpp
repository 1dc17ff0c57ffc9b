// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/features/formats.h"
#include "engine/io/hdf5.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kFormatVersion = 1;
constexpr const char* kVersion = "chiasm_features";
constexpr std::int64_t kChunkBytes = std::int64_t{1} << 20;

std::string path_of(const FeatureLayer& layer) { return "/features/" + layer.name; }

// Images in a chunk: a divisor of the block, so that blocks are whole chunks, of at most kChunkBytes where it can be.
std::int64_t chunk_images(std::int64_t block, std::int64_t units) {
  for (std::int64_t images = block; images > 1; --images) {
    if (block % images == 0 && images * units * static_cast<std::int64_t>(sizeof(float)) <= kChunkBytes) return images;
  }
  return 1;
}

class Hdf5Sink final : public FeatureSink {
 public:
  Hdf5Sink(const std::string& path, const FeatureHeader& header, std::int64_t block_images)
      : header_(header), written_(header), file_(path) {
    file_.attribute("/", kVersion, std::vector<std::int64_t>{kFormatVersion});
    for (const auto& [name, value] : header.attributes) file_.attribute("/", name, value);
    file_.array("/steps", steps_of(header).view());
    file_.array("/time_ms", times_of(header).view());
    file_.texts("/image_ids", header.image_ids);
    std::vector<std::string> names;
    const std::int64_t images = std::ssize(header.image_ids);
    const std::int64_t block = std::clamp<std::int64_t>(block_images, 1, images);
    for (const FeatureLayer& layer : header.layers) {
      names.push_back(layer.name);
      file_.array(path_of(layer), {DType::kFloat32, {std::ssize(header.steps), images, layer.units()}},
                  {1, chunk_images(block, layer.units()), layer.units()});
      file_.attribute(path_of(layer), "shape", std::vector<std::int64_t>(layer.shape.begin(), layer.shape.end()));
      file_.attribute(path_of(layer), "arrival_step", std::vector<std::int64_t>{layer.arrival_step});
    }
    file_.texts("/layers", names);
  }

  void write(std::size_t layer, std::size_t step, std::int64_t first_image, std::span<const float> rows) override {
    const std::int64_t units = header_.layers.at(layer).units();
    const std::int64_t count = std::ssize(rows) / std::max<std::int64_t>(units, 1);
    written_.add(layer, step, first_image, count);
    file_.write(path_of(header_.layers[layer]), {static_cast<std::int64_t>(step), first_image, 0},
                View(rows.data(), Spec{DType::kFloat32, {1, count, units}}));
  }

  void add(const std::string& name, const Tensor& values) override { file_.array("/" + name, values.view()); }

  void commit() override {
    written_.require_all();
    file_.commit();
  }

 private:
  FeatureHeader header_;
  WrittenImages written_;
  Hdf5Writer file_;
};

class Hdf5Source final : public FeatureSource {
 public:
  explicit Hdf5Source(const std::string& path) : file_(path) {
    if (file_.integers("/", kVersion) != std::vector<std::int64_t>{kFormatVersion}) {
      throw FileError(path, kVersion, "is not " + std::to_string(kFormatVersion));
    }
    header_.attributes = file_.text_attributes("/");
    set_steps(header_, file_.read("/steps"), file_.read("/time_ms"), path);
    header_.image_ids = file_.texts("/image_ids");
    for (std::string& name : file_.texts("/layers")) {
      FeatureLayer layer{.name = std::move(name)};
      try {
        layer.shape = Shape(file_.integers(path_of(layer), "shape"));
      } catch (const ShapeError& error) {
        throw FileError(path, path_of(layer) + "@shape", error.what());
      }
      const std::vector<std::int64_t> arrival = file_.integers(path_of(layer), "arrival_step");
      if (arrival.size() != 1) throw FileError(path, path_of(layer) + "@arrival_step", "is not one number");
      layer.arrival_step = static_cast<int>(arrival[0]);
      require_feature_array(header_, layer, file_.spec(path_of(layer)), path);
      header_.layers.push_back(std::move(layer));
    }
  }

  Tensor read(std::size_t layer, std::size_t step, std::int64_t first, std::int64_t count) const override {
    const FeatureLayer& of = header_.layers.at(layer);
    return file_.read(path_of(of), {static_cast<std::int64_t>(step), first, 0}, {1, count, of.units()})
        .reshaped({count, of.units()});
  }

  Tensor array(const std::string& name) const override { return file_.read("/" + name); }

 private:
  Hdf5Reader file_;
};

}  // namespace

std::unique_ptr<FeatureSink> create_hdf5_features(const std::string& path, const FeatureHeader& header,
                                                  std::int64_t block_images) {
  return std::make_unique<Hdf5Sink>(path, header, block_images);
}

std::unique_ptr<FeatureSource> open_hdf5_features(const std::string& path) {
  return std::make_unique<Hdf5Source>(path);
}

}  // namespace chiasm

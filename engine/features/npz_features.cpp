// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "engine/features/formats.h"
#include "engine/io/array_file.h"
#include "engine/io/crc32.h"
#include "engine/io/npy.h"
#include "engine/io/npy_bytes.h"
#include "engine/io/npy_text.h"
#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr int kFormatVersion = 1;
constexpr const char* kVersion = "chiasm_features";

class NpzSink final : public FeatureSink {
 public:
  NpzSink(const std::string& path, const FeatureHeader& header) : header_(header), written_(header), zip_(path) {
    const std::int64_t images = std::ssize(header.image_ids);
    std::vector<std::string> names;
    Tensor arrival(Spec{DType::kInt32, {std::ssize(header.layers)}});
    for (const FeatureLayer& layer : header.layers) {
      arrival.values<std::int32_t>()[names.size()] = layer.arrival_step;
      names.push_back(layer.name);
    }
    nlohmann::json metadata = header.attributes;
    metadata[kVersion] = kFormatVersion;
    // File names in attributes need not be UTF-8.
    add_bytes("metadata", npy_text(metadata.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    add_bytes("layers", npy_texts(names));
    add_bytes("image_ids", npy_texts(header.image_ids));
    add("steps", steps_of(header));
    add("time_ms", times_of(header));
    add("arrival_steps", arrival);
    for (const FeatureLayer& layer : header.layers) {
      Tensor shape(Spec{DType::kInt32, {layer.shape.rank()}});
      std::copy(layer.shape.begin(), layer.shape.end(), shape.values<std::int32_t>().begin());
      add("shape_" + layer.name, shape);
      const Spec spec{DType::kFloat32, {std::ssize(header.steps), images, layer.units()}};
      const std::vector<std::byte> preamble = npy_preamble(spec);
      Entry entry;
      entry.index = zip_.reserve(layer.name + ".npy", std::ssize(preamble) + spec.bytes());
      entry.values_at = std::ssize(preamble);
      entry.preamble_checksum = crc32(preamble);
      entry.step_checksums.assign(header.steps.size(), 0);
      zip_.write(entry.index, 0, preamble);
      entries_.push_back(std::move(entry));
    }
  }

  void write(std::size_t layer, std::size_t step, std::int64_t first_image, std::span<const float> rows) override {
    const std::int64_t units = header_.layers.at(layer).units();
    written_.add(layer, step, first_image, std::ssize(rows) / std::max<std::int64_t>(units, 1));
    Entry& entry = entries_[layer];
    const std::int64_t row = static_cast<std::int64_t>(step) * std::ssize(header_.image_ids) + first_image;
    const auto bytes = std::as_bytes(rows);
    zip_.write(entry.index, entry.values_at + row * units * static_cast<std::int64_t>(sizeof(float)), bytes);
    entry.step_checksums[step] = crc32(bytes, entry.step_checksums[step]);
  }

  void add(const std::string& name, const Tensor& values) override {
    const std::vector<std::byte> preamble = npy_preamble(values.spec());
    zip_.add(name + ".npy", std::array<std::span<const std::byte>, 2>{preamble, values.bytes()}, false);
  }

  void commit() override {
    written_.require_all();
    for (std::size_t layer = 0; layer < entries_.size(); ++layer) {
      const std::int64_t step_bytes =
          header_.layers[layer].units() * std::ssize(header_.image_ids) * static_cast<std::int64_t>(sizeof(float));
      std::uint32_t checksum = entries_[layer].preamble_checksum;
      for (std::uint32_t step : entries_[layer].step_checksums) checksum = crc32_joined(checksum, step, step_bytes);
      zip_.set_checksum(entries_[layer].index, checksum);
    }
    zip_.commit();
  }

 private:
  struct Entry {
    std::size_t index = 0;
    std::int64_t values_at = 0;
    std::uint32_t preamble_checksum = 0;
    std::vector<std::uint32_t> step_checksums;  // of the values of each step
  };

  void add_bytes(const std::string& name, const std::vector<std::byte>& bytes) {
    zip_.add(name + ".npy", std::array<std::span<const std::byte>, 1>{bytes}, false);
  }

  FeatureHeader header_;
  WrittenImages written_;
  ZipWriter zip_;
  std::vector<Entry> entries_;
};

class NpzSource final : public FeatureSource {
 public:
  explicit NpzSource(const std::string& path) : zip_(path) {
    read_metadata();
    header_.image_ids = texts("image_ids");
    set_steps(header_, whole("steps"), whole("time_ms"), path);
    const std::vector<std::string> names = texts("layers");
    const Tensor arrival = whole("arrival_steps");
    if (arrival.spec() != Spec{DType::kInt32, {std::ssize(names)}}) {
      throw FileError(path, "arrival_steps", "is " + to_string(arrival.spec()) + ", one integer per layer is needed");
    }
    for (const std::string& name : names) {
      FeatureLayer layer{.name = name, .arrival_step = arrival.values<std::int32_t>()[header_.layers.size()]};
      layer.shape = shape_of(name);
      values_.push_back(ArrayFile::open_npz(zip_, entry(name)));
      require_feature_array(header_, layer, values_.back().spec(), path);
      header_.layers.push_back(std::move(layer));
    }
  }

  Tensor read(std::size_t layer, std::size_t step, std::int64_t first, std::int64_t count) const override {
    const std::int64_t units = header_.layers.at(layer).units();
    const std::int64_t row = static_cast<std::int64_t>(step) * std::ssize(header_.image_ids) + first;
    return values_[layer].read(row * units, count * units).reshaped({count, units});
  }

  Tensor array(const std::string& name) const override { return whole(name); }

 private:
  const ZipReader::Entry& entry(const std::string& name) const {
    const auto found = std::ranges::find(zip_.entries(), name + ".npy", &ZipReader::Entry::name);
    if (found == zip_.entries().end()) throw FileError(zip_.path(), "", "has no array \"" + name + "\"");
    return *found;
  }

  template <class Read>
  auto read_entry(const std::string& name, Read read) const {
    ByteSource source = zip_.open(entry(name));
    auto content = read(source);
    zip_.finish(entry(name), source);
    return content;
  }
  Tensor whole(const std::string& name) const {
    return read_entry(name, [](ByteSource& source) { return read_npy(source); });
  }
  std::vector<std::string> texts(const std::string& name) const { return read_entry(name, read_npy_texts); }

  Shape shape_of(const std::string& layer) const {
    const Tensor sizes = whole("shape_" + layer);
    if (sizes.dtype() != DType::kInt32 || sizes.shape().rank() != 1) {
      throw FileError(zip_.path(), "shape_" + layer,
                      "is " + to_string(sizes.spec()) + ", a list of integers is needed");
    }
    try {
      return Shape(std::vector<std::int64_t>(sizes.values<std::int32_t>().begin(), sizes.values<std::int32_t>().end()));
    } catch (const ShapeError& error) {
      throw FileError(zip_.path(), "shape_" + layer, error.what());
    }
  }

  void read_metadata() {
    const std::vector<std::string> text = texts("metadata");
    const nlohmann::json metadata = nlohmann::json::parse(text.size() == 1 ? text[0] : "", nullptr, false);
    if (!metadata.is_object() || !metadata.contains(kVersion) || metadata[kVersion] != kFormatVersion) {
      throw FileError(zip_.path(), "metadata",
                      "is no JSON object with \"" + std::string(kVersion) + "\": " + std::to_string(kFormatVersion));
    }
    for (const auto& [name, value] : metadata.items()) {
      if (value.is_string()) header_.attributes[name] = value.get<std::string>();
    }
  }

  ZipReader zip_;
  std::vector<ArrayFile> values_;
};

}  // namespace

std::unique_ptr<FeatureSink> create_npz_features(const std::string& path, const FeatureHeader& header) {
  return std::make_unique<NpzSink>(path, header);
}

std::unique_ptr<FeatureSource> open_npz_features(const std::string& path) { return std::make_unique<NpzSource>(path); }

}  // namespace chiasm

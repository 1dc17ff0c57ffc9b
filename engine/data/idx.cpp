// SPDX-License-Identifier: Apache-2.0
#include "engine/data/idx.h"

#include <array>
#include <cstring>
#include <filesystem>

#include "engine/data/memory_dataset.h"
#include "engine/io/byte_source.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr int kUnsignedByte = 0x08;

Shape read_shape(ByteSource& source, int rank) {
  std::array<std::int64_t, kMaxRank> sizes{};
  for (int axis = 0; axis < rank; ++axis) {
    std::array<std::byte, 4> bytes{};
    source.read(bytes, "size of axis " + std::to_string(axis));
    for (std::byte byte : bytes) sizes[axis] = sizes[axis] << 8 | std::to_integer<int>(byte);
  }
  try {
    return Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank)));
  } catch (const ShapeError& error) {
    throw FileError(source.name(), "sizes", error.what());
  }
}

// `folder`/<stem>, or the same with .gz, whichever is there.
std::string find_in(const std::string& folder, const std::string& stem) {
  for (const char* ending : {"", ".gz"}) {
    const std::filesystem::path path = std::filesystem::path(folder) / (stem + ending);
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path.string();
  }
  throw FileError(folder, "", "the folder has neither " + stem + " nor " + stem + ".gz");
}

}  // namespace

Tensor read_idx(const std::string& path) {
  ByteSource source(path);
  std::array<std::byte, 4> magic{};
  source.read(magic, "magic number");
  const int type = std::to_integer<int>(magic[2]);
  const int rank = std::to_integer<int>(magic[3]);
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0}) {
    throw FileError(path, "magic number",
                    "an IDX file begins with two zero bytes, found " + std::to_string(std::to_integer<int>(magic[0])) +
                        ", " + std::to_string(std::to_integer<int>(magic[1])));
  }
  if (type != kUnsignedByte) {
    throw FileError(path, "element type", "found " + std::to_string(type) + ", only 8 (unsigned byte) is allowed");
  }
  if (rank < 1 || rank > kMaxRank) {
    throw FileError(path, "rank",
                    "found " + std::to_string(rank) + ", 1 to " + std::to_string(kMaxRank) + " are allowed");
  }
  const Shape shape = read_shape(source, rank);
  const std::vector<std::byte> values = source.read(shape.elements(), "values of " + to_string(shape));
  source.expect_end();
  Tensor tensor(Spec{DType::kUInt8, shape});
  if (!values.empty()) std::memcpy(tensor.bytes().data(), values.data(), values.size());
  return tensor;
}

std::unique_ptr<Dataset> open_idx(const DatasetConfig& config) {
  std::string images_path = config.path;
  std::string labels_path = config.labels;
  std::error_code ignored;
  if (std::filesystem::is_directory(images_path, ignored)) {
    if (config.split != "train" && config.split != "test") {
      throw InputError(config.path + ": with a folder of IDX files, split must be \"train\" or \"test\", found \"" +
                       config.split + "\"");
    }
    const std::string prefix = config.split == "train" ? "train" : "t10k";
    images_path = find_in(config.path, prefix + "-images-idx3-ubyte");
    if (labels_path.empty()) labels_path = find_in(config.path, prefix + "-labels-idx1-ubyte");
  }
  if (labels_path.empty()) throw InputError(config.path + ": an IDX file of images needs the path of its labels");

  Tensor images = read_idx(images_path);
  if (images.shape().rank() == 3) {
    const Shape& shape = images.shape();
    images = images.reshaped({shape[0], shape[1], shape[2], 1});
  }
  const Tensor labels = read_idx(labels_path);
  std::vector<std::int32_t> numbers(labels.values<std::uint8_t>().begin(), labels.values<std::uint8_t>().end());
  if (labels.shape().rank() != 1) {
    throw FileError(labels_path, "rank", "labels have one axis, found shape " + to_string(labels.shape()));
  }
  return std::make_unique<MemoryDataset>(std::move(images), std::move(numbers), config.class_names, images_path,
                                         labels_path);
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/data/image_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <iterator>

#include "engine/io/array_file.h"
#include "engine/io/exif.h"
#include "engine/io/image.h"
#include "engine/io/input_file.h"
#include "engine/io/natural_order.h"
#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostFileBytes = std::int64_t{1} << 30;

std::string ending_of(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending;
}

bool is_image_name(const std::string& path) {
  constexpr std::array kEndings{".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"};
  return std::ranges::find(kEndings, ending_of(path)) != kEndings.end();
}

// Whether any part of a path, below where we look, begins with a dot; and what macOS adds to zip files.
bool hidden(const std::string& path) {
  return std::ranges::any_of(fs::path(path), [](const fs::path& part) {
    return (part.string().starts_with('.') && part != "." && part != "..") || part == "__MACOSX";
  });
}

class EncodedImages : public ImageSource {
 public:
  bool is_turned(std::int64_t index) const override { return exif_orientation(bytes(index)) != 1; }

 protected:
  explicit EncodedImages(const ImageSourceConfig& config)
      : ImageSource(config.shape, config.fit, config.view), apply_exif_(config.apply_exif) {}
  virtual std::vector<std::byte> bytes(std::int64_t index) const = 0;

  Pixels read(std::int64_t index) const override {
    const std::vector<std::byte> file = bytes(index);
    const ByteImage stored = decode_image(file, name(index));
    return pixels_of(apply_exif_ ? oriented(stored, exif_orientation(file)) : stored);
  }

 private:
  bool apply_exif_;
};

class FolderImages final : public EncodedImages {
 public:
  explicit FolderImages(const ImageSourceConfig& config) : EncodedImages(config), folder_(config.path) {
    std::error_code error;
    for (fs::recursive_directory_iterator it(config.path, error), end; !error && it != end; it.increment(error)) {
      std::error_code ignored;
      const std::string below = it->path().lexically_relative(config.path).generic_string();
      if (is_image_name(below) && !hidden(below) && it->is_regular_file(ignored)) ids_.push_back(below);
    }
    if (error) throw FileError(config.path, "", "the folder cannot be read: " + error.message());
    if (ids_.empty()) throw FileError(config.path, "", "has no .png, .jpg or .jpeg image");
    if (config.order == ImageOrder::kNatural) {
      std::ranges::sort(ids_, natural_less);
    } else {
      std::ranges::sort(ids_);
    }
  }

 private:
  std::string name(std::int64_t index) const override { return (fs::path(folder_) / id(index)).string(); }
  std::vector<std::byte> bytes(std::int64_t index) const override { return read_file(name(index), kMostFileBytes); }

  std::string folder_;
};

class ZipImages final : public EncodedImages {
 public:
  explicit ZipImages(const ImageSourceConfig& config) : EncodedImages(config), zip_(config.path) {
    for (const ZipReader::Entry& entry : zip_.entries()) {
      if (is_image_name(entry.name) && !hidden(entry.name)) entries_.push_back(entry);
    }
    if (entries_.empty()) throw FileError(config.path, "", "has no .png, .jpg or .jpeg image");
    if (config.order == ImageOrder::kNatural) {
      std::ranges::sort(entries_, natural_less, &ZipReader::Entry::name);
    } else {
      std::ranges::sort(entries_, {}, &ZipReader::Entry::name);
    }
    for (const ZipReader::Entry& entry : entries_) ids_.push_back(entry.name);
  }

 private:
  std::string name(std::int64_t index) const override { return zip_.path() + "(" + id(index) + ")"; }
  std::vector<std::byte> bytes(std::int64_t index) const override {
    const ZipReader::Entry& entry = entries_[static_cast<std::size_t>(index)];
    if (entry.bytes > kMostFileBytes) throw FileError(name(index), "", "is larger than 1 GiB");
    ByteSource source = zip_.open(entry);
    std::vector<std::byte> content = source.read(entry.bytes, "image");
    zip_.finish(entry, source);
    return content;
  }

  ZipReader zip_;
  std::vector<ZipReader::Entry> entries_;
};

class ArrayImages final : public ImageSource {
 public:
  ArrayImages(const ImageSourceConfig& config, ArrayFile array)
      : ImageSource(config.shape, config.fit, config.view), array_(std::move(array)) {
    const Spec& spec = array_.spec();
    const int rank = spec.shape.rank();
    if ((rank != 3 && rank != 4) || spec.dtype == DType::kInt32) {
      throw FileError(array_.name(), "",
                      "images are [N, H, W] or [N, H, W, C] of uint8 or floating point, found " + to_string(spec));
    }
    if (spec.shape.elements() == 0) throw FileError(array_.name(), "", "has no image: " + to_string(spec));
    for (std::int64_t i = 0; i < spec.shape[0]; ++i) ids_.push_back(std::to_string(i));
  }

 private:
  std::string name(std::int64_t index) const override { return array_.name() + "[" + std::to_string(index) + "]"; }
  Pixels read(std::int64_t index) const override {
    const Shape& shape = array_.spec().shape;
    Pixels size{.height = shape[1], .width = shape[2], .channels = shape.rank() == 4 ? shape[3] : 1};
    const std::int64_t count = size.count();
    return pixels_of_array(array_.read(index * count, count), std::move(size), name(index));
  }

  ArrayFile array_;
};

ArrayFile open_array(const ImageSourceConfig& config) {
  if (ending_of(config.path) == ".npy") return ArrayFile::open_npy(config.path);
  const ZipReader zip(config.path);
  std::string known;
  for (const ZipReader::Entry& entry : zip.entries()) {
    const bool only = config.key.empty() && zip.entries().size() == 1;
    if (only || entry.name == config.key + ".npy") return ArrayFile::open_npz(zip, entry);
    if (known.size() < 200) known += (known.empty() ? "" : ", ") + entry.name.substr(0, entry.name.find(".npy"));
  }
  throw FileError(
      config.path, "",
      (config.key.empty() ? "holds several arrays; say which: " : "has no array \"" + config.key + "\"; it has ") +
          (known.empty() ? "none" : known));
}

}  // namespace

Pixels ImageSource::pixels_of_array(const Tensor& values, Pixels size, const std::string& name) {
  if (values.dtype() == DType::kUInt8) {
    const auto bytes = values.values<std::uint8_t>();
    size.bytes.assign(bytes.begin(), bytes.end());
    return size;
  }
  visit_floating(values.dtype(), [&]<class T>() {
    std::ranges::transform(values.values<T>(), std::back_inserter(size.values),
                           [](T v) { return static_cast<float>(v); });
  });
  if (!std::ranges::all_of(size.values, [](float v) { return std::isfinite(v); })) {
    throw FileError(name, "", "has values that are not finite");
  }
  return size;
}

void ImageSource::load(std::int64_t index, std::span<float> image) const {
  Pixels pixels = read(index);
  // A grey image is repeated at the end: less to resize.
  if (pixels.channels != 1) set_channels(pixels, shape_[2], name(index));
  const ImageSize out{shape_[0], shape_[1]};
  pixels =
      fit_ == ImageFit::kView ? show(view_, pixels, out) : resize(pixels, whole_of(pixels), out, view_.interpolation);
  set_channels(pixels, shape_[2], name(index));
  copy_values(pixels, image);
}

std::unique_ptr<ImageSource> open_images(const ImageSourceConfig& config) {
  constexpr std::int64_t kMostSide = 1 << 14;
  const Shape& shape = config.shape;
  if (shape.rank() != 3 || std::min({shape[0], shape[1], shape[2]}) < 1 || std::max(shape[0], shape[1]) > kMostSide) {
    throw InputError("images are brought to height x width x channels, found " + to_string(shape));
  }
  if (fs::is_directory(config.path)) return std::make_unique<FolderImages>(config);
  const std::string ending = ending_of(config.path);
  if (ending == ".zip") return std::make_unique<ZipImages>(config);
  if (ending == ".npy" || ending == ".npz") return std::make_unique<ArrayImages>(config, open_array(config));
  if (ending == ".mat") return open_matlab_images(config);
  const InputFile exists(config.path);
  throw InputError(config.path + ": images come as a folder, or as a .zip, .npy, .npz or .mat file");
}

ImageCheck check_images(const ImageSource& source, bool skip_broken,
                        const std::function<bool(std::int64_t)>& progress) {
  ImageCheck check;
  std::vector<float> image(static_cast<std::size_t>(source.shape().elements()));
  for (std::int64_t i = 0; i < source.size(); ++i) {
    try {
      source.load(i, image);
      check.good.push_back(i);
      check.turned += source.is_turned(i);
    } catch (const FileError& error) {
      if (!skip_broken) throw;
      check.broken.emplace_back(error.what());
    }
    if (progress && !progress(i + 1)) break;
  }
  return check;
}

}  // namespace chiasm

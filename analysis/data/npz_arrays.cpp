// SPDX-License-Identifier: Apache-2.0
// NPY and NPZ as ArrayContainer.
#include <algorithm>
#include <bit>
#include <map>

#include "analysis/data/array_formats.h"
#include "engine/io/array_file.h"
#include "engine/io/npy.h"
#include "engine/io/npy_header.h"
#include "engine/io/npy_text.h"
#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::string_view kEnding = ".npy";
constexpr const char* kTexts = "texts";

// Integers of 8 bytes as texts: tensors do not hold those beyond 32 bits, but ids of cells may be such.
std::vector<std::string> wide_labels(std::span<const std::byte> raw, bool big_endian, bool is_signed) {
  std::vector<std::string> labels;
  for (std::size_t at = 0; at < raw.size(); at += 8) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      value = value << 8 | std::to_integer<std::uint64_t>(raw[at + (big_endian ? i : 7 - i)]);
    }
    labels.push_back(is_signed ? std::to_string(std::bit_cast<std::int64_t>(value)) : std::to_string(value));
  }
  return labels;
}

// `open` gives the array from its first byte on, as often as it is asked for.
template <class Open>
std::vector<std::string> labels_of(const Open& open) {
  ByteSource first = open();
  const NpyHeader header = read_npy_header(first);
  if (header.text_length == 0 && (header.type == StorageType::kInt64 || header.type == StorageType::kUInt64)) {
    const std::int64_t most = first.most_left() / 8;
    if (header.shape.elements() > most) throw FileError(first.name(), "shape", "is more than the file holds");
    const std::vector<std::byte> raw = first.read(header.shape.elements() * 8, "values");
    first.expect_end();
    return wide_labels(raw, header.big_endian, header.type == StorageType::kInt64);
  }
  ByteSource source = open();
  return header.text_length > 0 ? read_npy_texts(source) : number_labels(read_npy(source));
}

Tensor part_of(const ArrayFile& array, std::int64_t first, std::int64_t count) {
  const Shape& shape = array.spec().shape;
  const std::int64_t row = shape.with(0, 1).elements();
  return array.read(first * row, count * row).reshaped(shape.with(0, count));
}

class NpyArrays final : public ArrayContainer {
 public:
  explicit NpyArrays(const std::string& path) : ArrayContainer(path) {
    ByteSource source(path);
    header_ = read_npy_header(source);
  }

  std::vector<std::string> arrays() const override {
    return header_.text_length > 0 ? std::vector<std::string>{} : std::vector<std::string>{""};
  }
  std::string unreadable() const override { return header_.text_length > 0 ? no_numbers_advice("", "texts") : ""; }
  bool has(const std::string& name) const override { return name.empty(); }
  Spec spec(const std::string& name) const override {
    require(name);
    if (header_.text_length > 0) throw FileError(path(), "NPY header", "an array of numbers is needed, found texts");
    return {dtype_for(header_.type), header_.shape};
  }
  Tensor read(const std::string& name) const override {
    require(name);
    return read_npy(path());
  }
  Tensor read_part(const std::string& name, std::int64_t first, std::int64_t count) const override {
    require(name);
    if (!file_) file_ = std::make_unique<ArrayFile>(ArrayFile::open_npy(path()));
    return part_of(*file_, first, count);
  }
  std::vector<std::string> labels(const std::string& name) const override {
    require(name);
    return labels_of([&] { return ByteSource(path()); });
  }

 private:
  void require(const std::string& name) const {
    if (!name.empty())
      throw FileError(path(), "", "is an NPY file, which has one array without a name, not \"" + name + "\"");
  }

  NpyHeader header_;
  mutable std::unique_ptr<ArrayFile> file_;
};

class NpzArrays final : public ArrayContainer {
 public:
  explicit NpzArrays(const std::string& path) : ArrayContainer(path), zip_(path) {
    for (const ZipReader::Entry& entry : zip_.entries()) {
      if (entry.name.ends_with(kEnding)) entries_[entry.name.substr(0, entry.name.size() - kEnding.size())] = &entry;
    }
  }

  std::vector<std::string> arrays() const override {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) {
      if (trouble(*entry).empty()) names.push_back(name);
    }
    return names;
  }
  std::string unreadable() const override {
    std::string words;
    for (const auto& [name, entry] : entries_) {
      const std::string what = trouble(*entry);
      if (what == kTexts) words += (words.empty() ? "" : "; ") + no_numbers_advice(name, "texts");
      if (!what.empty() && what != kTexts) words += (words.empty() ? "" : "; ") + name + " cannot be read: " + what;
    }
    return words;
  }
  bool has(const std::string& name) const override { return entries_.contains(name); }
  Spec spec(const std::string& name) const override {
    ByteSource source = zip_.open(entry(name));
    const NpyHeader header = read_npy_header(source);
    if (header.text_length > 0)
      throw FileError(source.name(), "NPY header", "an array of numbers is needed, found texts");
    return {dtype_for(header.type), header.shape};
  }
  Tensor read(const std::string& name) const override {
    ByteSource source = zip_.open(entry(name));
    Tensor values = read_npy(source);
    zip_.finish(entry(name), source);
    return values;
  }
  Tensor read_part(const std::string& name, std::int64_t first, std::int64_t count) const override {
    auto file = files_.find(name);
    if (file == files_.end()) file = files_.emplace(name, ArrayFile::open_npz(zip_, entry(name))).first;
    return part_of(file->second, first, count);
  }
  std::vector<std::string> labels(const std::string& name) const override {
    return labels_of([&] { return zip_.open(entry(name)); });
  }

 private:
  const ZipReader::Entry& entry(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      std::vector<std::string> known;
      for (const auto& [key, unused] : entries_) known.push_back(key);
      throw_no_array(path(), name, known);
    }
    return *found->second;
  }

  // Why it is no array of numbers: kTexts, or what reading says of objects of Python, records and complex numbers; ""
  // when it is one.
  std::string trouble(const ZipReader::Entry& entry) const {
    try {
      ByteSource source = zip_.open(entry);
      return read_npy_header(source).text_length == 0 ? "" : kTexts;
    } catch (const FileError& error) {
      return error.what();
    }
  }

  ZipReader zip_;
  std::map<std::string, const ZipReader::Entry*> entries_;
  mutable std::map<std::string, ArrayFile> files_;
};

}  // namespace

std::unique_ptr<ArrayContainer> open_npy_arrays(const std::string& path) { return std::make_unique<NpyArrays>(path); }
std::unique_ptr<ArrayContainer> open_npz_arrays(const std::string& path) { return std::make_unique<NpzArrays>(path); }

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Hdf5Reader: texts.
#include <hdf5.h>

#include <algorithm>
#include <limits>

#include "engine/io/hdf5_parts.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMostTextBytes = std::int64_t{1} << 30;

// The bytes of an array in one piece.
std::vector<std::byte> contiguous(const InputFile& file, const std::string& object, hid_t array, std::size_t bytes) {
  if (H5Dget_storage_size(array) == 0) return std::vector<std::byte>(bytes);  // never written
  const haddr_t offset = H5Dget_offset(array);
  const auto size = static_cast<std::uint64_t>(file.size());
  if (offset == HADDR_UNDEF || offset > size || bytes > size - offset) {
    throw FileError(file.path(), object, "lies behind the end of the file");
  }
  std::vector<std::byte> raw(bytes);
  file.read(static_cast<std::int64_t>(offset), raw);
  return raw;
}

std::vector<int> filters_of(const InputFile& file, const std::string& object, hid_t create) {
  std::vector<int> filters;
  const int count = H5Pget_nfilters(create);
  if (count < 0) hdf5_damaged(file.path(), object);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(create, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr);
    if (filter < 0) hdf5_damaged(file.path(), object);
    filters.push_back(filter);
  }
  return filters;
}

// The bytes of an array of one axis in chunks.
std::vector<std::byte> chunked(const InputFile& file, const std::string& object, hid_t array, hid_t create,
                               std::int64_t count, std::size_t element) {
  hsize_t chunk = 0;
  if (H5Pget_chunk(create, 1, &chunk) != 1 || chunk == 0) {
    throw FileError(file.path(), object, "holds texts of any length in chunks of several axes");
  }
  if (chunk > static_cast<hsize_t>(kMostTextBytes) / element) hdf5_damaged(file.path(), object);
  const std::vector<int> filters = filters_of(file, object, create);
  std::vector<std::byte> raw(static_cast<std::size_t>(count) * element);
  const std::size_t chunk_bytes = static_cast<std::size_t>(chunk) * element;
  for (hsize_t at = 0; at < static_cast<hsize_t>(count); at += chunk) {
    hsize_t stored = 0;
    if (H5Dget_chunk_storage_size(array, &at, &stored) < 0) hdf5_damaged(file.path(), object);
    if (stored == 0) continue;  // never written
    if (stored > static_cast<hsize_t>(file.size())) {
      throw FileError(file.path(), object, "has a chunk of " + std::to_string(stored) + " bytes, more than the file");
    }
    std::vector<std::byte> packed(static_cast<std::size_t>(stored));
    std::uint32_t skipped = 0;
    if (H5Dread_chunk(array, H5P_DEFAULT, &at, &skipped, packed.data()) < 0) hdf5_damaged(file.path(), object);
    const std::vector<std::byte> bytes =
        hdf5_unfiltered(std::move(packed), filters, skipped, element, chunk_bytes + 64, file.path(), object);
    if (bytes.size() != chunk_bytes) {
      throw FileError(
          file.path(), object,
          "has a chunk of " + std::to_string(bytes.size()) + " bytes, " + std::to_string(chunk_bytes) + " are needed");
    }
    const std::size_t first = static_cast<std::size_t>(at) * element;
    std::copy_n(bytes.begin(), std::min(chunk_bytes, raw.size() - first),
                raw.begin() + static_cast<std::ptrdiff_t>(first));
  }
  return raw;
}

}  // namespace

std::vector<std::string> hdf5_cut(const std::string& raw, std::size_t length) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < raw.size(); at += length) {
    std::string text = raw.substr(at, length);
    text.resize(std::min(text.find('\0'), text.size()));
    texts.push_back(std::move(text));
  }
  return texts;
}

std::size_t hdf5_text_length(const std::string& file, const std::string& object, hid_t type, std::int64_t count) {
  if (H5Tget_class(type) != H5T_STRING) throw FileError(file, object, "does not hold texts");
  const std::size_t length = H5Tget_size(type);
  if (length == 0) hdf5_damaged(file, object);
  if (count > kMostTextBytes / static_cast<std::int64_t>(std::min<std::size_t>(length, kMostTextBytes))) {
    throw FileError(file, object, "holds more than 1 GiB of text");
  }
  return length;
}

Hdf5Heap& Hdf5Reader::Handles::texts() const {
  if (heap) return *heap;
  const std::string& path = bytes->path();
  const Hdf5Handle create = hdf5_checked(path, "", {H5Fget_create_plist(*file), H5Pclose});
  std::size_t address = 0, length = 0;
  hsize_t user = 0;
  if (H5Pget_sizes(*create, &address, &length) < 0 || H5Pget_userblock(*create, &user) < 0) hdf5_damaged(path, "");
  heap = std::make_unique<Hdf5Heap>(bytes, static_cast<std::int64_t>(user), address, length);
  return *heap;
}

std::vector<std::string> Hdf5Reader::texts(const std::string& path) const {
  const Hdf5Section section;
  const hid_t array = handles_->array(path);
  const Hdf5Handle space = hdf5_checked(path_, path, {H5Dget_space(array), H5Sclose});
  const Hdf5Handle type = hdf5_checked(path_, path, {H5Dget_type(array), H5Tclose});
  const std::int64_t count = hdf5_shape(path_, path, *space).elements();
  const std::size_t length = hdf5_text_length(path_, path, *type, count);
  hdf5_require_room(*handles_->bytes, path, count, length);
  if (H5Tis_variable_str(*type) == 0) {
    std::string raw(length * static_cast<std::size_t>(count), '\0');
    if (count > 0 && H5Dread(array, *type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0) hdf5_damaged(path_, path);
    return hdf5_cut(raw, length);
  }

  Hdf5Heap& heap = handles_->texts();
  const std::size_t element = heap.reference_bytes();
  const Hdf5Handle create = hdf5_checked(path_, path, {H5Dget_create_plist(array), H5Pclose});
  if (H5Pget_external_count(*create) > 0) throw FileError(path_, path, "lies in other files");
  // Each reference stands in the file.
  if (count > kMostTextBytes / static_cast<std::int64_t>(element)) {
    throw FileError(path_, path, "holds more than 1 GiB of references to texts");
  }
  std::vector<std::byte> raw;
  switch (H5Pget_layout(*create)) {
    case H5D_CONTIGUOUS:
      raw = contiguous(*handles_->bytes, path, array, static_cast<std::size_t>(count) * element);
      break;
    case H5D_CHUNKED:
      raw = chunked(*handles_->bytes, path, array, *create, count, element);
      break;
    default:
      throw FileError(path_, path, "holds texts of any length neither in one piece nor in chunks");
  }
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < raw.size(); at += element) {
    texts.push_back(heap.text(std::span(raw).subspan(at, element), path));
  }
  return texts;
}

Shape Hdf5Reader::shape(const std::string& path) const {
  const Hdf5Section section;
  const Hdf5Handle space = hdf5_checked(path_, path, {H5Dget_space(handles_->array(path)), H5Sclose});
  return hdf5_shape(path_, path, *space);
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>

#include "engine/io/byte_source.h"
#include "engine/io/matlab.h"
#include "engine/io/matlab_elements.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kHeaderBytes = 128;
constexpr std::int64_t kTagBytes = 8;
// Enough for the head of every array: at most 8 sizes and a name of at most 63 characters.
constexpr std::int64_t kHeadBytes = 512;

std::uint32_t word(std::span<const std::byte> bytes, bool big_endian) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[big_endian ? i : 3 - i]);
  return value;
}

}  // namespace

MatlabReader::MatlabReader(const std::string& path) : file_(std::make_shared<const InputFile>(path)) {
  if (file_->size() < kHeaderBytes) throw FileError(path, "", "is shorter than the header of a MATLAB file");
  std::array<std::byte, kHeaderBytes> header{};
  file_->read(0, header);
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  if (!text.starts_with("MATLAB"))
    throw FileError(path, "", "is no MATLAB file of version 5, which begins with MATLAB");
  const std::string_view order = text.substr(126, 2);
  if (order != "IM" && order != "MI") throw FileError(path, "byte 126", "is no mark of the byte order");
  big_endian_ = order == "MI";
  const int major = std::to_integer<int>(header[big_endian_ ? 124 : 125]);
  if (major != 1) {
    throw FileError(
        path, "version",
        "found " + std::to_string(major) + ", 1 is needed" + (major == 2 ? " (2 is HDF5, MATLAB 7.3)" : ""));
  }

  for (std::int64_t at = kHeaderBytes; at < file_->size();) {
    const std::string where = "byte " + std::to_string(at);
    if (file_->size() - at < kTagBytes) throw FileError(path, where, "the file ends within a tag");
    std::array<std::byte, kTagBytes> tag{};
    file_->read(at, tag);
    const auto type = static_cast<int>(word(tag, big_endian_));
    Place place{.begin = at + kTagBytes,
                .bytes = word(std::span(tag).subspan(4), big_endian_),
                .compressed = type == static_cast<int>(MatlabType::kCompressed)};
    if (place.bytes > file_->size() - place.begin) {
      throw FileError(path, where,
                      "needs " + std::to_string(place.bytes) + " bytes, " +
                          std::to_string(file_->size() - place.begin) + " follow in this file");
    }
    at = place.begin + place.bytes;
    // Compressed elements follow each other without gaps, others begin at multiples of 8.
    if (!place.compressed) at = std::min(file_->size(), (at + 7) / 8 * 8);
    if (!place.compressed && type != static_cast<int>(MatlabType::kMatrix)) continue;

    std::int64_t length = 0;
    const std::vector<std::byte> bytes = content(place, where, kHeadBytes, length);
    // A compressed element that is no array, and an array without anything in it.
    if (length < kTagBytes) continue;
    MatlabElements elements(bytes, big_endian_, path, where);
    const MatlabHead head = read_matlab_head(elements);
    // MATLAB keeps things of its own in variables without a name.
    if (head.name.empty()) continue;
    const auto known = std::ranges::find(variables_, head.name, &Variable::name);
    if (known != variables_.end()) throw FileError(path, where, "there are two variables \"" + head.name + "\"");
    variables_.push_back({head.name, matlab_kind(head), {matlab_dtype(head), head.shape}});
    places_.push_back(place);
  }
}

std::vector<std::byte> MatlabReader::content(const Place& place, const std::string& name, std::int64_t most,
                                             std::int64_t& length) const {
  ByteSource source(file_, place.begin, place.bytes, place.compressed ? Coding::kZlib : Coding::kStored,
                    path() + "(" + name + ")");
  length = place.bytes;
  if (place.compressed) {
    std::array<std::byte, kTagBytes> tag{};
    source.read(tag, "tag");
    length = word(tag, big_endian_) == static_cast<std::uint32_t>(MatlabType::kMatrix)
                 ? word(std::span(tag).subspan(4), big_endian_)
                 : 0;
  }
  std::vector<std::byte> bytes = source.read(std::min(length, most), "values");
  if (length <= most && length > 0) source.expect_end();
  return bytes;
}

MatlabValue MatlabReader::read(std::size_t variable) const {
  const std::string& name = variables_[variable].name;
  std::int64_t length = 0;
  // A tag cannot say more than 2^32 bytes.
  const std::vector<std::byte> bytes = content(places_[variable], name, std::int64_t{1} << 32, length);
  MatlabElements elements(bytes, big_endian_, path(), name);
  const MatlabHead head = read_matlab_head(elements);
  return read_matlab_value(head, elements);
}

}  // namespace chiasm

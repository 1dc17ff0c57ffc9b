// SPDX-License-Identifier: Apache-2.0
// APPNOTE.TXT of PKWARE, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.16 (end of directory).
#include <algorithm>
#include <array>
#include <set>

#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50, kEntrySignature = 0x02014b50, kEndSignature = 0x06054b50;
constexpr std::int64_t kLocalBytes = 30, kEntryBytes = 46, kEndBytes = 22;
constexpr std::int64_t kMostComment = 65535;
constexpr std::uint32_t kIn64BitField = 0xFFFFFFFF;

std::uint32_t number(std::span<const std::byte> bytes, std::int64_t at, int size) {
  std::uint32_t value = 0;
  for (int i = size - 1; i >= 0; --i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[static_cast<std::size_t>(at + i)]);
  return value;
}

std::string printable(std::span<const std::byte> bytes) {
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 32; }, '?');
  return text;
}

}  // namespace

ZipReader::ZipReader(const std::string& path) : file_(std::make_shared<InputFile>(path)) {
  // The end record is last, before a comment of any length.
  const std::int64_t tail_bytes = std::min(file_->size(), kEndBytes + kMostComment);
  std::vector<std::byte> tail(static_cast<std::size_t>(tail_bytes));
  file_->read(file_->size() - tail_bytes, tail);
  std::int64_t at = tail_bytes - kEndBytes;
  while (at >= 0 && !(number(tail, at, 4) == kEndSignature && number(tail, at + 20, 2) == tail_bytes - kEndBytes - at))
    --at;
  if (at < 0) throw FileError(path, "", "is not a zip file, or its end is missing");

  const auto end = std::span<const std::byte>(tail).subspan(static_cast<std::size_t>(at));
  if (number(end, 4, 2) != 0 || number(end, 6, 2) != 0 || number(end, 8, 2) != number(end, 10, 2)) {
    throw FileError(path, "zip end record", "files split over several disks cannot be read");
  }
  const int count = static_cast<int>(number(end, 10, 2));
  const std::int64_t bytes = number(end, 12, 4), begin = number(end, 16, 4);
  if (count == 0xFFFF || bytes == kIn64BitField || begin == kIn64BitField) {
    throw FileError(path, "zip end record",
                    "64-bit zip files cannot be read; at most 4 GiB and 65534 entries are allowed");
  }
  if (begin + bytes != file_->size() - tail_bytes + at) {
    throw FileError(path, "zip end record",
                    "the directory of " + std::to_string(bytes) + " bytes at " + std::to_string(begin) +
                        " does not end where this record begins");
  }
  std::vector<std::byte> directory(static_cast<std::size_t>(bytes));
  file_->read(begin, directory);
  read_entries(directory, count);
}

void ZipReader::read_entries(std::span<const std::byte> directory, int count) {
  std::set<std::string> names;
  for (int i = 0; i < count; ++i) {
    const auto fail = [&](const std::string& what) {
      throw FileError(path(), "zip directory, entry " + std::to_string(i), what);
    };
    if (std::ssize(directory) < kEntryBytes || number(directory, 0, 4) != kEntrySignature) fail("is damaged");
    const std::int64_t name_bytes = number(directory, 28, 2);
    const std::int64_t all = kEntryBytes + name_bytes + number(directory, 30, 2) + number(directory, 32, 2);
    if (all > std::ssize(directory)) fail("is longer than the directory");
    Entry entry;
    entry.name = printable(directory.subspan(kEntryBytes, static_cast<std::size_t>(name_bytes)));
    entry.method = static_cast<int>(number(directory, 10, 2));
    entry.crc32 = number(directory, 16, 4);
    entry.packed_bytes = number(directory, 20, 4);
    entry.bytes = number(directory, 24, 4);
    entry.header_at = number(directory, 42, 4);
    const std::uint32_t flags = number(directory, 8, 2);
    if ((flags & 1) != 0) fail("is encrypted");
    if (entry.method != 0 && entry.method != 8) {
      fail("compression method " + std::to_string(entry.method) + "; 0 (stored) and 8 (deflate) can be read");
    }
    if (entry.packed_bytes == kIn64BitField || entry.bytes == kIn64BitField || entry.header_at == kIn64BitField) {
      fail("entries beyond 4 GiB cannot be read");
    }
    if (entry.method == 0 && entry.packed_bytes != entry.bytes) fail("is stored with two different sizes");
    if (!names.insert(entry.name).second) fail("the name " + entry.name + " occurs twice");
    entries_.push_back(std::move(entry));
    directory = directory.subspan(static_cast<std::size_t>(all));
  }
  if (!directory.empty()) throw FileError(path(), "zip directory", "bytes follow the last entry");
}

ByteSource ZipReader::open(const Entry& entry) const {
  std::array<std::byte, kLocalBytes> header{};
  const std::string name = name_of(entry);
  if (entry.header_at + kLocalBytes > file_->size()) throw FileError(name, "zip entry", "lies outside the file");
  file_->read(entry.header_at, header);
  if (number(header, 0, 4) != kLocalSignature || static_cast<int>(number(header, 8, 2)) != entry.method) {
    throw FileError(name, "zip entry", "no matching header at byte " + std::to_string(entry.header_at));
  }
  // Sizes here may be zero (written after the data) or in a 64-bit field; those of the directory count.
  const std::int64_t begin = entry.header_at + kLocalBytes + number(header, 26, 2) + number(header, 28, 2);
  if (begin > file_->size() || entry.packed_bytes > file_->size() - begin) {
    throw FileError(name, "zip entry", "lies outside the file");
  }
  return {file_, begin, entry.packed_bytes, entry.method == 0 ? Coding::kStored : Coding::kDeflate, name};
}

void ZipReader::finish(const Entry& entry, ByteSource& content) const {
  content.expect_end();
  if (content.position() != entry.bytes) {
    throw FileError(
        name_of(entry), "zip entry",
        "holds " + std::to_string(content.position()) + " bytes, the directory says " + std::to_string(entry.bytes));
  }
  if (content.crc32() != entry.crc32)
    throw FileError(name_of(entry), "zip entry", "is damaged: its CRC-32 does not match");
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// APPNOTE.TXT of PKWARE, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.14 to 4.3.16 (end of directory, with
// and without 64 bits), 4.5.3 (sizes in 64 bits).
#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <set>

#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50, kEntrySignature = 0x02014b50, kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50, kLocator64Signature = 0x07064b50;
constexpr std::int64_t kLocalBytes = 30, kEntryBytes = 46, kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20;
constexpr std::int64_t kMostComment = 65535;
constexpr std::uint32_t kIn64BitField = 0xFFFFFFFF;

std::uint32_t number(std::span<const std::byte> bytes, std::int64_t at, int size) {
  std::uint32_t value = 0;
  for (int i = size - 1; i >= 0; --i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[static_cast<std::size_t>(at + i)]);
  return value;
}

// Sizes and offsets in 64 bits; beyond 63 they are beyond every file, and so is the largest number.
std::int64_t long_number(std::span<const std::byte> bytes, std::int64_t at) {
  const std::uint64_t value = std::uint64_t{number(bytes, at + 4, 4)} << 32 | number(bytes, at, 4);
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

// Replaces the values that are kIn64BitField, in order, by those of the extra field 4.5.3. Whether it had them all.
bool widen(std::span<const std::byte> extra, std::initializer_list<std::int64_t*> values) {
  std::span<const std::byte> field;
  while (std::ssize(extra) >= 4) {
    const std::int64_t size = number(extra, 2, 2);
    if (size > std::ssize(extra) - 4) return false;
    if (number(extra, 0, 2) == 1) field = extra.subspan(4, static_cast<std::size_t>(size));
    extra = extra.subspan(static_cast<std::size_t>(4 + size));
  }
  for (std::int64_t* value : values) {
    if (*value != kIn64BitField) continue;
    if (field.size() < 8) return false;
    *value = long_number(field, 0);
    field = field.subspan(8);
  }
  return true;
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
  std::int64_t count = number(end, 10, 2), bytes = number(end, 12, 4), begin = number(end, 16, 4);
  std::int64_t directory_end = file_->size() - tail_bytes + at;
  if (count == 0xFFFF || bytes == kIn64BitField || begin == kIn64BitField) {
    std::array<std::byte, kLocator64Bytes> locator{};
    std::array<std::byte, kEnd64Bytes> wide{};
    const auto damaged = [&] { throw FileError(path, "zip64 end record", "is missing or damaged"); };
    if (directory_end < kLocator64Bytes + kEnd64Bytes) damaged();
    file_->read(directory_end - kLocator64Bytes, locator);
    const std::int64_t wide_at = long_number(locator, 8);
    if (number(locator, 0, 4) != kLocator64Signature || wide_at > directory_end - kLocator64Bytes - kEnd64Bytes)
      damaged();
    file_->read(wide_at, wide);
    if (number(wide, 0, 4) != kEnd64Signature || long_number(wide, 24) != long_number(wide, 32)) damaged();
    count = long_number(wide, 32);
    bytes = long_number(wide, 40);
    begin = long_number(wide, 48);
    directory_end = wide_at;
  }
  if (begin > directory_end || bytes != directory_end - begin) {
    throw FileError(path, "zip end record",
                    "the directory of " + std::to_string(bytes) + " bytes at " + std::to_string(begin) +
                        " does not end where this record begins");
  }
  if (count > bytes / kEntryBytes) throw FileError(path, "zip end record", "more entries than the directory can hold");
  std::vector<std::byte> directory(static_cast<std::size_t>(bytes));
  file_->read(begin, directory);
  read_entries(directory, count);
}

void ZipReader::read_entries(std::span<const std::byte> directory, std::int64_t count) {
  std::set<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) {
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
    const std::span<const std::byte> extra = directory.subspan(static_cast<std::size_t>(kEntryBytes + name_bytes),
                                                               static_cast<std::size_t>(number(directory, 30, 2)));
    if (!widen(extra, {&entry.bytes, &entry.packed_bytes, &entry.header_at})) fail("has no sizes in 64 bits");
    if (entry.method == 0 && entry.packed_bytes != entry.bytes) fail("is stored with two different sizes");
    if (!names.insert(entry.name).second) fail("the name " + entry.name + " occurs twice");
    entries_.push_back(std::move(entry));
    directory = directory.subspan(static_cast<std::size_t>(all));
  }
  if (!directory.empty()) throw FileError(path(), "zip directory", "bytes follow the last entry");
}

std::int64_t ZipReader::content_at(const Entry& entry) const {
  std::array<std::byte, kLocalBytes> header{};
  const std::string name = name_of(entry);
  if (entry.header_at > file_->size() - kLocalBytes) throw FileError(name, "zip entry", "lies outside the file");
  file_->read(entry.header_at, header);
  if (number(header, 0, 4) != kLocalSignature || static_cast<int>(number(header, 8, 2)) != entry.method) {
    throw FileError(name, "zip entry", "no matching header at byte " + std::to_string(entry.header_at));
  }
  // Sizes here may be zero (written after the data) or in a 64-bit field; those of the directory count.
  const std::int64_t begin = entry.header_at + kLocalBytes + number(header, 26, 2) + number(header, 28, 2);
  if (begin > file_->size() || entry.packed_bytes > file_->size() - begin) {
    throw FileError(name, "zip entry", "lies outside the file");
  }
  return begin;
}

ByteSource ZipReader::open(const Entry& entry) const {
  return {file_, content_at(entry), entry.packed_bytes, entry.method == 0 ? Coding::kStored : Coding::kDeflate,
          name_of(entry)};
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

// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/io/crc32.h"
#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::uint32_t kIn64BitField = 0xFFFFFFFF;
constexpr std::size_t kMostEntries = 65534;
constexpr std::int64_t kChecksumInHeader = 14;
constexpr int kVersion = 20, kVersion64 = 45;
constexpr std::uint32_t kUtf8Name = 1U << 11;
constexpr std::uint32_t kDate = 1 << 5 | 1;  // 1 January 1980: the same arrays give the same file

void put(std::vector<std::byte>& to, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) to.push_back(static_cast<std::byte>(value >> 8 * i & 255));
}

// What does not fit 32 bits stands in an extra field, and kIn64BitField in its place.
bool is_long(std::int64_t value) { return value >= std::int64_t{kIn64BitField}; }
std::uint64_t in_32_bits(std::int64_t value) {
  return is_long(value) ? kIn64BitField : static_cast<std::uint64_t>(value);
}

// The extra field of APPNOTE.TXT 4.5.3, or nothing when there are no values.
std::vector<std::byte> extra_64(std::span<const std::int64_t> values) {
  std::vector<std::byte> field;
  if (values.empty()) return field;
  put(field, 1, 2);
  put(field, 8 * values.size(), 2);
  for (std::int64_t value : values) put(field, static_cast<std::uint64_t>(value), 8);
  return field;
}

std::vector<std::byte> deflated(std::span<const std::span<const std::byte>> parts) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw SystemError("no memory to compress");
  }
  std::vector<std::byte> out;
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  const auto run = [&](std::span<const std::byte> in, int flush) {
    do {  // avail_in is 32 bits wide
      const std::size_t count = std::min<std::size_t>(in.size(), std::size_t{1} << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
      stream.avail_in = static_cast<uInt>(count);
      in = in.subspan(count);
      do {
        const std::size_t have = out.size();
        out.resize(have + kPiece);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
        stream.avail_out = static_cast<uInt>(kPiece);
        deflate(&stream, flush);
        out.resize(out.size() - stream.avail_out);
      } while (stream.avail_out == 0);
    } while (!in.empty());
  };
  for (const auto& part : parts) run(part, Z_NO_FLUSH);
  run({}, Z_FINISH);
  deflateEnd(&stream);
  return out;
}

}  // namespace

ZipWriter::ZipWriter(const std::string& path) : path_(path), file_(path) {}

void ZipWriter::write(std::span<const std::byte> bytes) {
  file_.write_at(position_, bytes);
  position_ += std::ssize(bytes);
}

std::size_t ZipWriter::append(Entry entry) {
  if (entry.name.empty() || entry.name.size() > 65535) {
    throw InputError(path_ + ": names in a zip file have 1 to 65535 bytes");
  }
  if (entries_.size() == kMostEntries) throw InputError(path_ + ": at most 65534 entries are allowed");
  entry.header_at = position_;
  const bool wide = is_long(entry.bytes) || is_long(entry.packed_bytes);
  // A local header has both sizes in its extra field or none.
  const std::vector<std::byte> extra =
      wide ? extra_64(std::array{entry.bytes, entry.packed_bytes}) : std::vector<std::byte>{};
  std::vector<std::byte> header;
  put(header, 0x04034b50, 4);
  put(header, wide ? kVersion64 : kVersion, 2);
  put(header, kUtf8Name, 2);
  put(header, entry.compressed ? 8 : 0, 2);
  put(header, 0, 2);
  put(header, kDate, 2);
  put(header, entry.crc32, 4);
  put(header, wide ? kIn64BitField : in_32_bits(entry.packed_bytes), 4);
  put(header, wide ? kIn64BitField : in_32_bits(entry.bytes), 4);
  put(header, entry.name.size(), 2);
  put(header, extra.size(), 2);
  write(header);
  write(std::as_bytes(std::span(entry.name.data(), entry.name.size())));
  write(extra);
  entry.content_at = position_;
  position_ += entry.packed_bytes;
  entries_.push_back(std::move(entry));
  return entries_.size() - 1;
}

void ZipWriter::add(const std::string& name, std::span<const std::span<const std::byte>> parts, bool compress) {
  Entry entry{.name = name, .compressed = compress};
  for (const auto& part : parts) {
    entry.crc32 = chiasm::crc32(part, entry.crc32);
    entry.bytes += std::ssize(part);
  }
  std::vector<std::byte> packed;
  if (compress) packed = deflated(parts);
  entry.packed_bytes = compress ? std::ssize(packed) : entry.bytes;
  const std::size_t index = append(std::move(entry));
  if (compress) {
    write(index, 0, packed);
    return;
  }
  std::int64_t offset = 0;
  for (const auto& part : parts) {
    write(index, offset, part);
    offset += std::ssize(part);
  }
}

std::size_t ZipWriter::reserve(const std::string& name, std::int64_t bytes) {
  return append({.name = name, .packed_bytes = bytes, .bytes = bytes});
}

void ZipWriter::write(std::size_t entry, std::int64_t offset, std::span<const std::byte> bytes) {
  file_.write_at(entries_[entry].content_at + offset, bytes);
}

void ZipWriter::set_checksum(std::size_t entry, std::uint32_t crc32) {
  entries_[entry].crc32 = crc32;
  std::vector<std::byte> field;
  put(field, crc32, 4);
  file_.write_at(entries_[entry].header_at + kChecksumInHeader, field);
}

void ZipWriter::commit() {
  const std::int64_t begin = position_;
  std::vector<std::byte> directory;
  for (const Entry& entry : entries_) {
    std::vector<std::int64_t> wide;
    for (std::int64_t value : {entry.bytes, entry.packed_bytes, entry.header_at}) {
      if (is_long(value)) wide.push_back(value);
    }
    const std::vector<std::byte> extra = extra_64(wide);
    const int version = extra.empty() ? kVersion : kVersion64;
    put(directory, 0x02014b50, 4);
    put(directory, 3U << 8 | static_cast<unsigned>(version), 2);  // made on Unix, so that the mode below counts
    put(directory, static_cast<unsigned>(version), 2);
    put(directory, kUtf8Name, 2);
    put(directory, entry.compressed ? 8 : 0, 2);
    put(directory, 0, 2);
    put(directory, kDate, 2);
    put(directory, entry.crc32, 4);
    put(directory, in_32_bits(entry.packed_bytes), 4);
    put(directory, in_32_bits(entry.bytes), 4);
    put(directory, entry.name.size(), 2);
    put(directory, extra.size(), 2);
    put(directory, 0, 4);               // length of the comment, disk
    put(directory, 0, 2);               // internal attributes
    put(directory, 0100644U << 16, 4);  // a plain file that its owner may write
    put(directory, in_32_bits(entry.header_at), 4);
    const auto name = std::as_bytes(std::span(entry.name.data(), entry.name.size()));
    directory.insert(directory.end(), name.begin(), name.end());
    directory.insert(directory.end(), extra.begin(), extra.end());
  }
  write(directory);
  const std::uint64_t count = entries_.size(), bytes = directory.size();
  std::vector<std::byte> end;
  if (is_long(begin) || is_long(std::ssize(directory))) {
    put(end, 0x06064b50, 4);  // end of directory in 64 bits, APPNOTE.TXT 4.3.14
    put(end, 44, 8);
    put(end, 3U << 8 | kVersion64, 2);
    put(end, kVersion64, 2);
    put(end, 0, 8);  // disks
    put(end, count, 8);
    put(end, count, 8);
    put(end, bytes, 8);
    put(end, static_cast<std::uint64_t>(begin), 8);
    put(end, 0x07064b50, 4);  // and where it is, 4.3.15
    put(end, 0, 4);
    put(end, static_cast<std::uint64_t>(position_), 8);
    put(end, 1, 4);
  }
  put(end, 0x06054b50, 4);
  put(end, 0, 4);
  put(end, count, 2);
  put(end, count, 2);
  put(end, in_32_bits(std::ssize(directory)), 4);
  put(end, in_32_bits(begin), 4);
  put(end, 0, 2);
  write(end);
  file_.commit();
}

}  // namespace chiasm

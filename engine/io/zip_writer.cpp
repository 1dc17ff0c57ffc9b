// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <limits>

#include "engine/io/crc32.h"
#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr int kMostEntries = 65534;
constexpr std::uint32_t kUtf8Name = 1U << 11;
constexpr std::uint32_t kDate = 1 << 5 | 1;  // 1 January 1980: the same arrays give the same file

void put(std::vector<std::byte>& to, std::uint32_t value, int size) {
  for (int i = 0; i < size; ++i) to.push_back(static_cast<std::byte>(value >> 8 * i & 255));
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
  file_.write(bytes);
  position_ += std::ssize(bytes);
}

void ZipWriter::add(const std::string& name, std::span<const std::span<const std::byte>> parts, bool compress) {
  std::uint32_t checksum = 0;
  std::int64_t size = 0;
  for (const auto& part : parts) {
    checksum = chiasm::crc32(part, checksum);
    size += std::ssize(part);
  }
  if (name.empty() || name.size() > 65535) throw InputError(path_ + ": names in a zip file have 1 to 65535 bytes");
  if (count_ == kMostEntries || size > kMost)
    throw InputError(path_ + ": at most 65534 entries of at most 4 GiB are allowed");
  std::vector<std::byte> packed;
  if (compress) packed = deflated(parts);
  const std::int64_t packed_size = compress ? std::ssize(packed) : size;
  if (packed_size > kMost - position_ - std::ssize(directory_) - 2 * std::ssize(name) - 200) {
    throw InputError(path_ + ": at most 4 GiB are allowed");
  }

  // Version needed, flags, method, time, date, checksum, sizes, lengths of name and extra field: the same in both
  // headers.
  std::vector<std::byte> common;
  put(common, 20, 2);
  put(common, kUtf8Name, 2);
  put(common, compress ? 8 : 0, 2);
  put(common, 0, 2);
  put(common, kDate, 2);
  put(common, checksum, 4);
  put(common, static_cast<std::uint32_t>(packed_size), 4);
  put(common, static_cast<std::uint32_t>(size), 4);
  put(common, static_cast<std::uint32_t>(name.size()), 2);
  put(common, 0, 2);
  const auto name_bytes = std::as_bytes(std::span(name.data(), name.size()));

  put(directory_, 0x02014b50, 4);
  put(directory_, 3 << 8 | 20, 2);  // made on Unix, so that the mode below counts
  directory_.insert(directory_.end(), common.begin(), common.end());
  put(directory_, 0, 4);               // length of the comment, disk
  put(directory_, 0, 2);               // internal attributes
  put(directory_, 0100644U << 16, 4);  // a plain file that its owner may write
  put(directory_, static_cast<std::uint32_t>(position_), 4);
  directory_.insert(directory_.end(), name_bytes.begin(), name_bytes.end());
  ++count_;

  std::vector<std::byte> local;
  put(local, 0x04034b50, 4);
  local.insert(local.end(), common.begin(), common.end());
  write(local);
  write(name_bytes);
  if (compress) {
    write(packed);
  } else {
    for (const auto& part : parts) write(part);
  }
}

void ZipWriter::commit() {
  const std::int64_t begin = position_;
  write(directory_);
  std::vector<std::byte> end;
  put(end, 0x06054b50, 4);
  put(end, 0, 4);
  put(end, static_cast<std::uint32_t>(count_), 2);
  put(end, static_cast<std::uint32_t>(count_), 2);
  put(end, static_cast<std::uint32_t>(directory_.size()), 4);
  put(end, static_cast<std::uint32_t>(begin), 4);
  put(end, 0, 2);
  write(end);
  file_.commit();
}

}  // namespace chiasm

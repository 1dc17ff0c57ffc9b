// SPDX-License-Identifier: Apache-2.0
// ByteSource: the bytes of a file, or of a part of it, read forwards and decompressed on the way. Whatever length a
// header claims, memory grows only with bytes that are really there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/io/input_file.h"

namespace chiasm {

enum class Coding { kStored, kGzip, kDeflate, kZlib };  // kZlib: deflate with a header and a checksum

class ByteSource {
 public:
  // A whole file, plain or gzip (told apart by the first two bytes).
  explicit ByteSource(const std::string& path);
  // Bytes [begin, begin + length) of `file`. `name` stands for the file in messages.
  // REQUIRES: the range lies inside the file.
  ByteSource(std::shared_ptr<const InputFile> file, std::int64_t begin, std::int64_t length, Coding coding,
             std::string name);
  ~ByteSource();
  ByteSource(ByteSource&&) noexcept;
  ByteSource& operator=(ByteSource&&) noexcept;

  const std::string& name() const { return name_; }
  std::int64_t position() const { return position_; }  // bytes delivered so far
  // CRC-32 of the bytes delivered so far.
  std::uint32_t crc32() const { return crc32_; }
  // An upper bound of the bytes still to come: exact for stored bytes, from the best ratio of deflate otherwise.
  std::int64_t most_left() const;

  // Fills `out`. Throws FileError naming `field` when the data end before, or are corrupt.
  void read(std::span<std::byte> out, const std::string& field);
  // The next `count` bytes, with the same errors. REQUIRES: count >= 0.
  std::vector<std::byte> read(std::int64_t count, const std::string& field);
  // Throws FileError when there are more bytes, or when a checksum of the compression does not hold.
  void expect_end();

 private:
  struct Inflater;
  std::size_t read_some(std::span<std::byte> out);
  std::size_t read_stored(std::span<std::byte> out);
  std::size_t read_inflated(std::span<std::byte> out);
  bool refill();
  [[noreturn]] void corrupt(const std::string& what) const;

  std::shared_ptr<const InputFile> file_;
  std::string name_;
  Coding coding_;
  std::int64_t next_ = 0;  // next byte of the file, and the end of our part of it
  std::int64_t end_ = 0;
  std::int64_t position_ = 0;
  std::uint32_t crc32_ = 0;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace chiasm

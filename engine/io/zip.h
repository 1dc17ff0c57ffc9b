// SPDX-License-Identifier: Apache-2.0
// Zip files, as much of them as NPZ needs: entries stored or deflated, below 4 GiB.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/io/atomic_file.h"
#include "engine/io/byte_source.h"

namespace chiasm {

class ZipReader {
 public:
  struct Entry {
    std::string name;
    int method = 0;  // 0 stored, 8 deflated
    std::uint32_t crc32 = 0;
    std::int64_t packed_bytes = 0;
    std::int64_t bytes = 0;
    std::int64_t header_at = 0;
  };

  // Reads the directory. Throws FileError when it is damaged, and for encrypted, split and 64-bit zip files.
  explicit ZipReader(const std::string& path);
  const std::string& path() const { return file_->path(); }
  const std::vector<Entry>& entries() const { return entries_; }
  // Checks the entry's own header and opens its content.
  ByteSource open(const Entry& entry) const;
  // To be called after all of `content` was read: throws FileError when length or checksum are not those of the
  // directory.
  void finish(const Entry& entry, ByteSource& content) const;

 private:
  void read_entries(std::span<const std::byte> directory, int count);
  std::string name_of(const Entry& entry) const { return path() + "(" + entry.name + ")"; }

  std::shared_ptr<const InputFile> file_;
  std::vector<Entry> entries_;
};

class ZipWriter {
 public:
  // Appears at commit(); throws SystemError as AtomicFile does.
  explicit ZipWriter(const std::string& path);
  // `parts` follow each other. Throws InputError for names that are empty or over 65535 bytes, and beyond 4 GiB or
  // 65535 entries.
  void add(const std::string& name, std::span<const std::span<const std::byte>> parts, bool compress);
  void commit();

 private:
  void write(std::span<const std::byte> bytes);

  std::string path_;
  AtomicFile file_;
  std::int64_t position_ = 0;
  int count_ = 0;
  std::vector<std::byte> directory_;
};

}  // namespace chiasm

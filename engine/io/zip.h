// SPDX-License-Identifier: Apache-2.0
// Zip files, as much of them as NPZ and folders of images need: entries stored or deflated, of any size (zip64).
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

  // Reads the directory. Throws FileError when it is damaged, and for encrypted and split zip files.
  explicit ZipReader(const std::string& path);
  const std::string& path() const { return file_->path(); }
  const std::vector<Entry>& entries() const { return entries_; }
  // Checks the entry's own header and opens its content.
  ByteSource open(const Entry& entry) const;
  // Where its content begins in the file, with the same checks; for reading parts of what is stored.
  std::int64_t content_at(const Entry& entry) const;
  const std::shared_ptr<const InputFile>& file() const { return file_; }
  // To be called after all of `content` was read: throws FileError when length or checksum are not those of the
  // directory.
  void finish(const Entry& entry, ByteSource& content) const;

 private:
  void read_entries(std::span<const std::byte> directory, std::int64_t count);
  std::string name_of(const Entry& entry) const { return path() + "(" + entry.name + ")"; }

  std::shared_ptr<const InputFile> file_;
  std::vector<Entry> entries_;
};

class ZipWriter {
 public:
  // Appears at commit(); throws SystemError as AtomicFile does.
  explicit ZipWriter(const std::string& path);
  // `parts` follow each other. Throws InputError for names that are empty or over 65535 bytes, and beyond 65534
  // entries.
  void add(const std::string& name, std::span<const std::span<const std::byte>> parts, bool compress);

  // A stored entry whose content is written later, in any order, and may be larger than memory. Throws as add() does.
  std::size_t reserve(const std::string& name, std::int64_t bytes);
  // REQUIRES: the range lies in the entry.
  void write(std::size_t entry, std::int64_t offset, std::span<const std::byte> bytes);
  // Of the whole content, when all of it was written. Without it the entry reads as damaged.
  void set_checksum(std::size_t entry, std::uint32_t crc32);

  void commit();

 private:
  struct Entry {
    std::string name;
    bool compressed = false;
    std::uint32_t crc32 = 0;
    std::int64_t packed_bytes = 0;
    std::int64_t bytes = 0;
    std::int64_t header_at = 0;
    std::int64_t content_at = 0;
  };
  // Writes the local header of `entry` at position_, and leaves room for its content.
  std::size_t append(Entry entry);
  void write(std::span<const std::byte> bytes);

  std::string path_;
  AtomicFile file_;
  std::int64_t position_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace chiasm

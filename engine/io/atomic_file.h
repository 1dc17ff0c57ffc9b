// SPDX-License-Identifier: Apache-2.0
// AtomicFile: a file that appears whole or not at all. What is written goes to `<path>.tmp-<process>-<n>` in the same
// folder; commit() makes it durable and gives it its name, replacing an older file in one step. Until then, and
// whenever something fails, the older file stays as it was and the temporary one is removed (only a killed process
// leaves one behind).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chiasm {

class AtomicFile {
 public:
  // All members throw SystemError naming the path and the system's reason.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  // Writes at a byte offset, also beyond the end (what lies between reads as zeros), and leaves alone where write()
  // goes on.
  void write_at(std::int64_t offset, std::span<const std::byte> bytes);
  // For libraries that open files by name: what they write here before commit() becomes the file.
  const std::string& temporary_path() const { return temporary_; }
  // After this the file is on the disk under its name. REQUIRES: not committed before.
  void commit();

 private:
  [[noreturn]] void fail(int error);
  void discard();

  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

void write_file(const std::string& path, std::span<const std::byte> bytes);
void write_file(const std::string& path, std::string_view text);

}  // namespace chiasm

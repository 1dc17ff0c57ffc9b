// SPDX-License-Identifier: Apache-2.0
// InputFile: a regular file open for reading at any position. Files are read, never mapped: a mapped file that somebody
// shortens meanwhile ends the process with SIGBUS, a read one ends with an error. Reading is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chiasm {

class InputFile {
 public:
  // Throws FileError when `path` is missing, not readable or not a regular file.
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::int64_t size() const { return size_; }  // when it was opened

  // Fills `out` from byte `offset` on. Throws FileError when the file ends before, SystemError when the device fails.
  void read(std::int64_t offset, std::span<std::byte> out) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

// The content of a file. Throws FileError as InputFile does, and when the file is larger than `most_bytes`.
std::vector<std::byte> read_file(const std::string& path, std::int64_t most_bytes);

}  // namespace chiasm

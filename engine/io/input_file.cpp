// SPDX-License-Identifier: Apache-2.0
#include "engine/io/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "kernels/error.h"

namespace chiasm {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

// One read() call moves at most 2 GiB on Linux.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // Without O_NONBLOCK, opening a FIFO would wait for a writer.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) throw FileError(path_, "", "no such file");
    if (error == EACCES) throw FileError(path_, "", "no permission to read it");
    if (error == EMFILE || error == ENFILE || error == ENOMEM) {
      throw SystemError("cannot open " + path_ + ": " + reason(error));
    }
    throw FileError(path_, "", "cannot be opened: " + reason(error));
  }
  struct stat status {};
  const int failed = ::fstat(descriptor_, &status) != 0 ? errno : 0;
  if (failed != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    if (failed != 0) throw SystemError("cannot look at " + path_ + ": " + reason(failed));
    throw FileError(path_, "", S_ISDIR(status.st_mode) ? "is a folder, a file is needed" : "is not a regular file");
  }
  size_ = static_cast<std::int64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::int64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t count = ::pread(descriptor_, out.data(), std::min(out.size(), kMostAtOnce), offset);
    if (count < 0) {
      if (errno == EINTR) continue;
      throw SystemError("cannot read " + path_ + ": " + reason(errno));
    }
    if (count == 0) {
      throw FileError(path_, "byte " + std::to_string(offset),
                      "the file ends here, " + std::to_string(out.size()) + " more bytes are needed");
    }
    offset += count;
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

std::vector<std::byte> read_file(const std::string& path, std::int64_t most_bytes) {
  const InputFile file(path);
  if (file.size() > most_bytes) {
    throw FileError(
        path, "",
        "has " + std::to_string(file.size()) + " bytes, at most " + std::to_string(most_bytes) + " are allowed");
  }
  std::vector<std::byte> content(static_cast<std::size_t>(file.size()));
  file.read(0, content);
  return content;
}

}  // namespace chiasm

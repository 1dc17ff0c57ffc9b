// SPDX-License-Identifier: Apache-2.0
#include "tools/run_folder/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "kernels/error.h"

namespace chiasm {

RunFolderLock::RunFolderLock(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw SystemError(fmt::format("{}: cannot be created: {}", folder, error.message()));
  const std::string path = folder + "/.lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw SystemError(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    close(descriptor_);
    if (reason == EWOULDBLOCK) throw InputError(folder + ": another process is training in this folder");
    throw SystemError(fmt::format("{}: cannot be locked: {}", path, std::strerror(reason)));
  }
}

// The file stays: removing it would let two processes lock two files of one name.
RunFolderLock::~RunFolderLock() { close(descriptor_); }

}  // namespace chiasm

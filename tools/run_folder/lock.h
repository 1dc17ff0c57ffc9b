// SPDX-License-Identifier: Apache-2.0
// One trainer per run folder. The lock is the operating system's, so it vanishes with its process, even after SIGKILL.
#pragma once

#include <string>

namespace chiasm {

class RunFolderLock {
 public:
  // Creates the folder when it is missing. Throws InputError when another process (or another lock of this one) holds
  // the folder, SystemError when it cannot be created or written.
  explicit RunFolderLock(const std::string& folder);
  ~RunFolderLock();
  RunFolderLock(const RunFolderLock&) = delete;
  RunFolderLock& operator=(const RunFolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace chiasm

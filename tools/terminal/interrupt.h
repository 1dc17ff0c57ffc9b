// SPDX-License-Identifier: Apache-2.0
// Ctrl-C as a request: long work asks whether to stop and ends cleanly. A second one kills as usual.
#pragma once

namespace chiasm {

// Catches SIGINT and SIGTERM during its lifetime. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool requested() const;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Ctrl-C as a request: long work asks whether to stop and ends cleanly. A second one kills as usual.
#pragma once

namespace chiasm {

// Catches SIGINT, SIGTERM and, unless the program was started to ignore it (nohup), SIGHUP: the terminal or the login
// is gone. During its lifetime. Guards nest: work made of shorter work has one around the others, and a request that
// any of them has seen stays made until the outermost one is gone. For one thread.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool requested() const;
};

}  // namespace chiasm

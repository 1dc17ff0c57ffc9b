// SPDX-License-Identifier: Apache-2.0
// Ctrl-C as a request: long work asks whether to stop and ends cleanly. A second one kills as usual.
#pragma once

namespace chiasm {

// While it lives, printing for someone who is gone (tee, a pager, the login) fails instead of ending the program: the
// work goes on. For one thread.
class PipeGuard {
 public:
  PipeGuard();
  ~PipeGuard();
  PipeGuard(const PipeGuard&) = delete;
  PipeGuard& operator=(const PipeGuard&) = delete;

 private:
  void (*before_)(int);
};

// Catches SIGINT, SIGTERM and, unless the program was started to ignore it (nohup), SIGHUP: the terminal or the login
// is gone, which may be said more than once. During its lifetime. Guards nest: work made of shorter work has one around
// the others, and a request that any of them has seen stays made until the outermost one is gone. For one thread.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool requested() const;

 private:
  const PipeGuard pipe_;
};

}  // namespace chiasm

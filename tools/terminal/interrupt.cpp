// SPDX-License-Identifier: Apache-2.0
#include "tools/terminal/interrupt.h"

#include <array>
#include <csignal>

namespace chiasm {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t requests = 0;
int guards = 0;

void handle(int signal) {
  requests = requests + 1;
  // A terminal that closes says so to its programs, and then its shell does: the second time is not meant to kill.
  if (signal != SIGHUP) std::signal(signal, SIG_DFL);
}

}  // namespace

PipeGuard::PipeGuard() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
PipeGuard::~PipeGuard() { std::signal(SIGPIPE, before_); }

InterruptGuard::InterruptGuard() {
  if (guards++ > 0) return;
  requests = 0;
  for (const int signal : kSignals) {
    if (std::signal(signal, handle) == SIG_IGN && signal == SIGHUP) std::signal(signal, SIG_IGN);  // nohup
  }
}

InterruptGuard::~InterruptGuard() {
  if (--guards > 0) return;
  for (const int signal : kSignals) {
    const auto before = std::signal(signal, SIG_DFL);
    if (before == SIG_IGN) std::signal(signal, before);
  }
}

bool InterruptGuard::requested() const { return requests > 0; }

}  // namespace chiasm

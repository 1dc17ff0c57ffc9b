// SPDX-License-Identifier: Apache-2.0
#include "tools/terminal/interrupt.h"

#include <csignal>

namespace chiasm {
namespace {

volatile std::sig_atomic_t requests = 0;
int guards = 0;

void handle(int signal) {
  requests = requests + 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (guards++ > 0) return;
  requests = 0;
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
}

InterruptGuard::~InterruptGuard() {
  if (--guards > 0) return;
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool InterruptGuard::requested() const { return requests > 0; }

}  // namespace chiasm

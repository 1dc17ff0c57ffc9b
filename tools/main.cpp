// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "tools/verbs/verbs.h"

// Threads of OpenMP (ours, oneDNN's and OpenBLAS's) spin at the end of every loop, and how long must be said before the
// program starts. libgomp's default of some milliseconds makes a step five times as long on a machine that does
// anything else at the same time; sleeping at once doubles it on an idle one, because a step has thousands of short
// loops. This many spins, a fraction of a millisecond, cost neither. What the user set is kept.
constexpr const char* kSpins = "20000";

int main(int argc, char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr && std::getenv("GOMP_SPINCOUNT") == nullptr) {
    setenv("GOMP_SPINCOUNT", kSpins, 1);
    char path[PATH_MAX] = {};
    // Where this is not possible we go on as we are.
    if (readlink("/proc/self/exe", path, sizeof path - 1) > 0) execv(path, argv);
  }
  return chiasm::run_command(argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
// A program that settles its environment as main() should and says what came of it. From the environment:
//   PROBE_CORE   what OpenBLAS is said to have chosen by itself
//   PROBE_CHECK  "fails" or "crashes": what becomes of the comparison
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "kernels/startup.h"

namespace {

std::string text_of(const char* variable) {
  const char* const value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

}  // namespace

int main(int, char** argv) {
  const bool is_check = text_of("CHIASM_OPENBLAS") == "check";
  if (is_check && text_of("PROBE_CHECK") == "fails") return 1;
  if (is_check && text_of("PROBE_CHECK") == "crashes") std::raise(SIGILL);
  chiasm::settle_environment(argv, text_of("PROBE_CORE"));
  const chiasm::OpenblasChoice choice = chiasm::openblas_choice();
  const char* const by[] = {"openblas", "user", "chiasm"};
  std::cout << "core=" << choice.core << " by=" << by[static_cast<int>(choice.by)] << " refused=" << choice.refused
            << " spins=" << text_of("GOMP_SPINCOUNT") << "\n";
  return 0;
}

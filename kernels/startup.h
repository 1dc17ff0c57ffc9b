// SPDX-License-Identifier: Apache-2.0
// What has to be settled before a program starts, because libraries read it when they are loaded: how long OpenMP's
// threads spin, and which of its kernels OpenBLAS takes for float64 products and factorizations.
//
// OpenBLAS picks kernels from a table of the processors that were on sale when it was built. Debian 12's (0.3.21) does
// not know those of 2023 and later and falls back to kernels for SSE3, at a fifth of the speed. What the processor can
// do is then the better guide: notes/20261201-products-on-every-processor.md.
#pragma once

#include <string>
#include <string_view>

#include "kernels/simd.h"

namespace chiasm {

// For the first line of main(): where another setting is better, starts the program anew with it, in its place, and
// does not come back; otherwise, and where that is not possible, returns. What the user has set is kept.
//   GOMP_SPINCOUNT       unless that or OMP_WAIT_POLICY is set
//   OPENBLAS_CORETYPE    unless that is set; only after a child process has compared small products and factorizations
//                        under it with plain loops. Where these differ, or the child ends otherwise, the setting stays.
// REQUIRES: no threads have been started; `argv` is main's. `core` stands for the kernels that OpenBLAS chose by
// itself; "" asks it.
void settle_environment(char** argv, const std::string& core = "");

// The kernels that OpenBLAS has taken in this process, and why.
struct OpenblasChoice {
  enum class By { kOpenblas, kUser, kChiasm };
  std::string core;          // "SkylakeX"
  By by = By::kOpenblas;     // who chose it
  std::string refused = {};  // faster kernels that computed wrong results here, or crashed or hung; usually none
  std::string better = {};   // what settle_environment() would try
};
OpenblasChoice openblas_choice();

// The widest instructions that kernels of this name use. What is not known counts as the baseline. Case does not count:
// builds with the kernels of one processor write its name in capitals.
IsaLevel level_of_openblas_core(std::string_view core);
// Kernels for processors of this level, where they use wider instructions than `core` does; else "". `build` is what
// openblas_get_config() says: only with DYNAMIC_ARCH in it are there several.
std::string better_openblas_core(std::string_view core, IsaLevel processor, std::string_view build = "DYNAMIC_ARCH");

}  // namespace chiasm

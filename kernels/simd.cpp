// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace chiasm {

IsaLevel machine_isa_level() {
#if CHIASM_X86_DISPATCH
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return IsaLevel::kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) {
    return IsaLevel::kAvx2;
  }
#endif
  return IsaLevel::kBaseline;
}

namespace {

IsaLevel chosen_level() {
  const char* wanted = std::getenv("CHIASM_ISA");
  IsaLevel limit = IsaLevel::kAvx512;
  if (wanted != nullptr && std::string_view(wanted) == "baseline") limit = IsaLevel::kBaseline;
  if (wanted != nullptr && std::string_view(wanted) == "avx2") limit = IsaLevel::kAvx2;
  return std::min(machine_isa_level(), limit);
}

}  // namespace

IsaLevel isa_level() {
  static const IsaLevel level = chosen_level();
  return level;
}

const char* name_of(IsaLevel level) {
  switch (level) {
    case IsaLevel::kAvx512: return "avx512";
    case IsaLevel::kAvx2: return "avx2";
    case IsaLevel::kBaseline: return "baseline";
  }
  return "?";
}

}  // namespace chiasm

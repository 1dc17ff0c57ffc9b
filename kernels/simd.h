// SPDX-License-Identifier: Apache-2.0
// Run-time choice of the instruction set, in one place. A loop written once in plain C++ is compiled for each level below
// and the widest one that this machine has is called. The build itself uses no -march flag.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__CUDACC__)
#define CHIASM_X86_DISPATCH 1
#else
#define CHIASM_X86_DISPATCH 0
#endif

// On a lambda handed to with_widest_isa: it must be inlined into each variant, or it would be compiled once, for the
// lowest level.
#define CHIASM_INLINE_LAMBDA __attribute__((always_inline))

namespace chiasm {

enum class IsaLevel { kBaseline, kAvx2, kAvx512 };

// The widest level of this machine, lowered by CHIASM_ISA=baseline|avx2|avx512 in the environment (read once).
IsaLevel isa_level();
// The same without the environment.
IsaLevel machine_isa_level();
const char* name_of(IsaLevel level);

namespace detail {
#if CHIASM_X86_DISPATCH
template <class Body>
__attribute__((target("avx2,fma,bmi2"))) void run_avx2(Body& body) {
  body();
}
template <class Body>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2"))) void run_avx512(Body& body) {
  body();
}
#endif
}  // namespace detail

// Calls body(). REQUIRES: body is a lambda marked CHIASM_INLINE_LAMBDA whose callees are inlined too.
template <class Body>
inline void with_widest_isa(Body&& body) {
#if CHIASM_X86_DISPATCH
  switch (isa_level()) {
    case IsaLevel::kAvx512: return detail::run_avx512(body);
    case IsaLevel::kAvx2: return detail::run_avx2(body);
    case IsaLevel::kBaseline: break;
  }
#endif
  body();
}

}  // namespace chiasm

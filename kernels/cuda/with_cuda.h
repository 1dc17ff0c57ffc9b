// SPDX-License-Identifier: Apache-2.0
// Whether this build has the CUDA side of ops. Asked where an op is called, so that a build without CUDA never names
// the CUDA overloads and links without stubs.
#pragma once

namespace chiasm {

#if defined(CHIASM_WITH_CUDA)
inline constexpr bool kWithCuda = true;
#else
inline constexpr bool kWithCuda = false;
#endif

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// The names of functions, for messages.
#pragma once

#include <string>

namespace cuda_on_host {

// The name of the function at the address as C++ writes it, without its parameters; the address where the executable
// does not tell.
std::string symbol_name(const void* function);

}  // namespace cuda_on_host

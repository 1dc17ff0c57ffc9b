// SPDX-License-Identifier: Apache-2.0
// Looking for NaN and infinity.
#pragma once

#include <string>

#include "kernels/view.h"

namespace chiasm {

// Whether every element is finite. Integers are.
bool all_finite(const View& view);

// Throws NumericalError, naming `where`, the first element that is not finite and how many there are.
void require_finite(const View& view, const std::string& where);

}  // namespace chiasm

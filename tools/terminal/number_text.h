// SPDX-License-Identifier: Apache-2.0
// Numbers in tables for people: what is not a number is "-".
#pragma once

#include <string>

namespace chiasm {

// "0.536"; "-" for NaN and infinities.
std::string number_text(double value, int digits = 3);
// "0.536 +- 0.015"; "0.536 +- -" where there is no error, such as that of one unit.
std::string number_text_with_error(double value, double error, int digits = 3);

}  // namespace chiasm

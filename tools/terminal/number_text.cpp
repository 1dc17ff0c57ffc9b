// SPDX-License-Identifier: Apache-2.0
#include "tools/terminal/number_text.h"

#include <fmt/format.h>

#include <cmath>

namespace chiasm {

std::string number_text(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "-";
}

std::string number_text_with_error(double value, double error, int digits) {
  return number_text(value, digits) + " +- " + number_text(error, digits);
}

}  // namespace chiasm

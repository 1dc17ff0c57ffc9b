// SPDX-License-Identifier: Apache-2.0
// The order in which people count: im2 before im10.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace chiasm {

// Runs of digits compare as whole numbers, everything else byte by byte; texts that are equal so compare byte by byte.
bool natural_less(std::string_view a, std::string_view b);

// Of texts in byte order, the first that people would count before the one in front of it: 2 of "im1, im10, im2". 0
// where there is none, or where the texts have another order.
std::size_t first_out_of_natural_order(std::span<const std::string> texts);

}  // namespace chiasm

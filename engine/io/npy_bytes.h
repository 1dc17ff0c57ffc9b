// SPDX-License-Identifier: Apache-2.0
// What stands before the values in an NPY file, for those who write one into another file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/view.h"

namespace chiasm {

std::vector<std::byte> npy_preamble(const Spec& spec);
std::vector<std::byte> npy_preamble(const std::string& header_text);

}  // namespace chiasm

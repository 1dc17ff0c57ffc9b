// SPDX-License-Identifier: Apache-2.0
// Element-wise activations by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/graph.h"

namespace chiasm {

enum class Activation { kIdentity, kRelu, kElu, kSigmoid, kTanh, kSoftplus, kRelu6 };

Value activate(Value x, Activation activation);

const std::vector<std::string>& activation_names();
// Throws InputError with the known names.
Activation activation_of(std::string_view name);

}  // namespace chiasm

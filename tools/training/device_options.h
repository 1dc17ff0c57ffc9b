// SPDX-License-Identifier: Apache-2.0
// How a recipe's network runs on a device: what the command line says, with what the recipe says about arithmetic.
#pragma once

#include "engine/program.h"
#include "tools/recipe/recipe.h"

namespace chiasm {

// `options` with the arithmetic of train.precision. Throws InputError where the device cannot do what the recipe asks:
// float64 on CUDA, or reduced precision on the CPU.
ProgramOptions device_options(const Recipe& recipe, ProgramOptions options);

}  // namespace chiasm

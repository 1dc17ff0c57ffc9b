// SPDX-License-Identifier: Apache-2.0
// Which axis of an array is which: "unit,stimulus,repeat,time" and the names people give to these.
#pragma once

#include <string>
#include <vector>

#include "engine/tensor.h"

namespace chiasm {

enum class NeuralAxis { kUnit, kStimulus, kRepeat, kTime };

const char* name_of(NeuralAxis axis);

// Axes separated by commas; units are also neurons, neuroids, channels and cells, stimuli images and presentations,
// repeats trials, time bins, time_bins and steps; plurals count too. Throws InputError for other names and for one
// named twice.
std::vector<NeuralAxis> parse_axes(const std::string& text);

// [units, stimuli, repeats, time] from an array with these axes; those that are not named have size 1. Integers become
// float64. The memory is shared where nothing has to move. Throws FileError naming `file` when the rank is another.
Tensor to_neural_axes(const Tensor& values, const std::vector<NeuralAxis>& axes, const std::string& file);

}  // namespace chiasm

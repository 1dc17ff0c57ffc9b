// SPDX-License-Identifier: Apache-2.0
// Weights: what a network is without the run that made it: its parameters and statistics, and backward weights where it
// has them. A snapshot is such a file with the state of the optimizer beside it.
#pragma once

#include <map>
#include <string>

#include "engine/parameters.h"

namespace chiasm {

// Fills every parameter and statistic of `parameters` from a safetensors or NPZ file: weights, a converted file, or the
// snapshot of a run, whose optimizer state is not looked at. Optimizer state in `parameters` stays as it is. A backward
// weight that the file does not have keeps its own initial draw, so that training with untied backward weights can
// start from a network trained without them; a copy of another parameter (Parameter::copy_of) that the file does not
// have becomes what that one does. float32 and float64 are converted into each other.
//
// Throws FileError naming file, tensor, what was found and what is wanted, when the file is damaged, lacks a tensor,
// has one that the network does not have, or one of another shape or of integers; nothing is changed then.
// REQUIRES: `parameters` are initialised.
void load_weights(const std::string& file, Parameters& parameters);

// Writes everything but the state of the optimizer as safetensors. Throws SystemError when the file cannot be written.
void save_weights(const std::string& file, const Parameters& parameters,
                  const std::map<std::string, std::string>& metadata = {});

// Copies floating values between tensors of the same number of elements, whatever their floating types.
void copy_floating(const Tensor& from, Tensor& to);

}  // namespace chiasm

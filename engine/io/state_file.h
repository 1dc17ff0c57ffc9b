// SPDX-License-Identifier: Apache-2.0
// State files: the named tensors of a network, as safetensors or NPZ, recognised by their content.
#pragma once

#include <map>
#include <string>

#include "engine/tensor.h"

namespace chiasm {

// Throws FileError as read_safetensors and read_npz do. Python pickles (.pt, .pth, .pkl), which can run code when they
// are read, are never read: the error says how to save the state as one of the two formats instead.
std::map<std::string, Tensor> read_state(const std::string& path);

}  // namespace chiasm

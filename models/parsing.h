// SPDX-License-Identifier: Apache-2.0
// Pieces of recipes that several readers share.
#pragma once

#include "engine/config/config.h"
#include "models/activation.h"
#include "models/convolution.h"

namespace chiasm {

// "glorot_uniform", or {"type": "variance_scaling", "scale": s}, {"type": "normal" | "truncated_normal", "std": s},
// {"type": "constant", "value": v}.
InitSpec read_init(const ConfigNode& config, std::string_view key, InitSpec absent);

// The start of a bias: a number, or an initialiser as above, which takes the fans of the weight that the bias goes
// with.
InitSpec read_bias_init(const ConfigNode& config, std::string_view key);

Activation read_activation(const ConfigNode& config, std::string_view key, Activation absent);

// "same", "valid", a number of pixels on every side, or [top, bottom, left, right].
Padding2d read_padding(const ConfigNode& config, std::string_view key, Padding2d absent);

}  // namespace chiasm

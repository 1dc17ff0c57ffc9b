// SPDX-License-Identifier: Apache-2.0
// One maker per stage; each reads its own fields of a recipe.
#pragma once

#include <functional>
#include <memory>

#include "models/activation.h"
#include "models/stages/stage.h"

namespace chiasm {

// A stage from a function: most stages are one.
std::shared_ptr<const Stage> stage_of(std::function<Value(const Scope&, const StageInput&)> apply);

std::shared_ptr<const Stage> make_activation_stage(Activation activation);

// {"channels", "kernel", "stride", "padding", "separable", "groups", "dilation", "bias", "kernel_init", "bias_init",
// "l2", "l2_bias"}
std::shared_ptr<const Stage> make_conv_stage(const ConfigNode& config);
// {"units", "bias", "kernel_init", "bias_init", "l2", "l2_bias"}: x [N, in] -> [N, units]
std::shared_ptr<const Stage> make_linear_stage(const ConfigNode& config);
// {"size", "stride", "padding", "ceil"}
std::shared_ptr<const Stage> make_max_pool_stage(const ConfigNode& config);
// {"size", "stride", "padding", "ceil", "count_padding"}
std::shared_ptr<const Stage> make_average_pool_stage(const ConfigNode& config);
// [N, H, W, C] -> [N, C]
std::shared_ptr<const Stage> make_global_average_pool_stage(const ConfigNode& config);
// {"momentum", "epsilon"}: statistics of each timestep's batch in training, running ones in evaluation
std::shared_ptr<const Stage> make_batch_norm_stage(const ConfigNode& config);
// {"epsilon"}: over H, W and C of each sample
std::shared_ptr<const Stage> make_layer_norm_stage(const ConfigNode& config);
// {"radius", "bias", "alpha", "beta"}
std::shared_ptr<const Stage> make_local_response_norm_stage(const ConfigNode& config);
// {"rate"}: the share of values dropped, in training only
std::shared_ptr<const Stage> make_dropout_stage(const ConfigNode& config);
// {"size": [height, width]}: [N, H, W, C] -> [N, height, width, C], means over boxes that cover the image
std::shared_ptr<const Stage> make_adaptive_average_pool_stage(const ConfigNode& config);
// {"shape": [height, width, channels]}: x of so many values -> [N, height, width, channels]
std::shared_ptr<const Stage> make_reshape_stage(const ConfigNode& config);
// {"channels", "kernel", "stride", "padding", "output": [height, width], "bias", "kernel_init", "bias_init", "l2",
// "l2_bias"}: the transpose of the convolution with these settings from "channels" at the output's size
std::shared_ptr<const Stage> make_conv_transpose_stage(const ConfigNode& config);
// [N, H, W, C] -> [N, H W C]
std::shared_ptr<const Stage> make_flatten_stage(const ConfigNode& config);
// {"projection": [stages], "from"}: adds the layer's input, as it is when shapes match, else resized and projected by
// 1x1 without bias. A projection given as stages is always applied, to the output of the layer's stage "from" when that
// is given (pre-activation networks project what the first normalisation put out), else to the layer's input.
std::shared_ptr<const Stage> make_residual_stage(const ConfigNode& config);

}  // namespace chiasm

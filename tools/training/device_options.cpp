// SPDX-License-Identifier: Apache-2.0
#include "tools/training/device_options.h"

namespace chiasm {

ProgramOptions device_options(const Recipe& recipe, ProgramOptions options) {
  const std::string origin = recipe.source.root().origin() + ": ";
  if (options.device.is_cuda() && recipe.train.dtype == DType::kFloat64) {
    throw InputError(origin + "train.dtype float64 is the reference path of the CPU, found --device " +
                     to_string(options.device) + "; allowed: float32, or --device cpu");
  }
  if (!options.device.is_cuda() && recipe.train.precision != CudaMath::kFloat32) {
    throw InputError(origin + "train.precision tf32 and bfloat16 are for CUDA devices, found --device cpu; allowed: " +
                     "float32, or --device cuda:0");
  }
  options.math = recipe.train.precision;
  return options;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Shapes of one sample and of a batch of them.
#pragma once

#include "kernels/shape.h"

namespace chiasm {

Shape with_batch(std::int64_t batch, const Shape& sample);
// REQUIRES: a batch axis.
Shape without_batch(const Shape& batch);

}  // namespace chiasm

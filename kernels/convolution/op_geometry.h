// SPDX-License-Identifier: Apache-2.0
// The convolution problem that an op stands for, which its CPU and CUDA sides share.
#pragma once

#include "kernels/convolution/conv2d.h"
#include "kernels/convolution/conv_transpose2d.h"
#include "kernels/convolution/geometry.h"

namespace chiasm {

ConvGeometry geometry_of(const Conv2d& op, const Shape& x, const Shape& weight);
// The problem of the Conv2d it is the transpose of: whose image is our output.
ConvGeometry geometry_of(const ConvTranspose2d& op, const Shape& x, const Shape& weight);

}  // namespace chiasm

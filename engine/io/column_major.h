// SPDX-License-Identifier: Apache-2.0
// Arrays in column-major order, as Fortran and MATLAB keep them: the first axis runs fastest.
#pragma once

#include "engine/tensor.h"

namespace chiasm {

// The array of this shape whose values lie in column-major order in `values`. REQUIRES: as many elements.
Tensor row_major_from(const Tensor& values, const Shape& shape);

}  // namespace chiasm

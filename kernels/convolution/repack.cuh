// SPDX-License-Identifier: Apache-2.0
// Copies that bring tensors into the form a library wants, and back: weights transposed, images padded or cropped, with
// the element type changed on the way.
#pragma once

#include <cstdint>

#include "kernels/convolution/window.h"
#include "kernels/cuda/stream.h"

namespace chiasm {

// to[columns, rows] = from[rows, columns]. For float to float, float to bfloat16 and bfloat16 to float.
template <class From, class To>
void transpose_matrix(const CudaStream& stream, const From* from, std::int64_t rows, std::int64_t columns, To* to);

struct ImagePlacement {
  std::int64_t batch = 0, channels = 0;
  Size2d from, to;
  std::int64_t top = 0, left = 0;  // where row and column 0 of `from` come to lie in `to`; negative to crop
};

// Copies images into larger ones with zeros around them, or parts of them into smaller ones; channels-last.
template <class From, class To>
void place_images(const CudaStream& stream, const ImagePlacement& placement, const From* from, To* to);

}  // namespace chiasm

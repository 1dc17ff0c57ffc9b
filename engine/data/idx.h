// SPDX-License-Identifier: Apache-2.0
// IDX, the format of MNIST and Fashion-MNIST, plain or gzip: two zero bytes, an element type, a rank, the sizes as
// big-endian 32-bit integers, the values in row-major order.
#pragma once

#include <memory>
#include <string>

#include "engine/data/dataset.h"
#include "engine/tensor.h"

namespace chiasm {

// A uint8 tensor. Throws FileError on anything but a whole IDX file of unsigned bytes.
Tensor read_idx(const std::string& path);

// Images [N, height, width] or [N, height, width, channels] and labels [N].
std::unique_ptr<Dataset> open_idx(const DatasetConfig& config);

}  // namespace chiasm

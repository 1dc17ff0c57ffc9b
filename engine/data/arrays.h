// SPDX-License-Identifier: Apache-2.0
// Data sets in NumPy's formats: images [N, height, width, channels] or [N, height, width], uint8 (read as value / 255)
// or floating point (read as they are), and integer labels [N].
#pragma once

#include <memory>

#include "engine/data/dataset.h"

namespace chiasm {

std::unique_ptr<Dataset> open_npy(const DatasetConfig& config);  // path and labels are two .npy files
std::unique_ptr<Dataset> open_npz(
    const DatasetConfig& config);  // images_key and labels_key are two arrays of one .npz file

}  // namespace chiasm

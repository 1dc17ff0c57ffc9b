// SPDX-License-Identifier: Apache-2.0
// CIFAR-10, binary version: records of one label byte and 3 x 32 x 32 bytes, red plane first.
#pragma once

#include <memory>

#include "engine/data/dataset.h"

namespace chiasm {

// `path` is the folder cifar-10-batches-bin: split "train" reads every data_batch_*.bin in order of name, "test" reads
// test_batch.bin. Class names come from batches.meta.txt when it is there.
std::unique_ptr<Dataset> open_cifar10(const DatasetConfig& config);

}  // namespace chiasm

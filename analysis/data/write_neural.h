// SPDX-License-Identifier: Apache-2.0
// Writing recorded responses, so that read_neural gives back the same bits.
//
//   .npz          arrays responses [unit, stimulus, repeat, time], unit_ids, areas, specimens, stimulus_ids (texts),
//                 reliability, bin_starts_ms, bin_width_ms (float64); what is not known is left out
//   .h5, .hdf5    the same as datasets of these names
#pragma once

#include <string>

#include "analysis/data/neural_dataset.h"

namespace chiasm {

// Whole or not at all. Throws FileError as check_dataset does, InputError for another ending, SystemError when the disk
// refuses.
void write_neural(const std::string& path, const NeuralDataset& dataset);

}  // namespace chiasm

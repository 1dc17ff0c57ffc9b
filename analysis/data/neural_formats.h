// SPDX-License-Identifier: Apache-2.0
// The readers behind read_neural.h. What they return is checked there.
#pragma once

#include "analysis/data/array_container.h"
#include "analysis/data/read_neural.h"
#include "engine/io/hdf5.h"

namespace chiasm {

NeuralDataset read_array_responses(const ArrayContainer& file, const NeuralReadOptions& options);

// NWB: /units/spike_times.
bool is_nwb(const Hdf5Reader& file);
NeuralDataset read_nwb(const Hdf5Reader& file, const NeuralReadOptions& options);

// NWB: fluorescence of regions of interest below /processing, with a table of trials.
bool is_nwb_roi(const Hdf5Reader& file);
NeuralDataset read_nwb_roi(const Hdf5Reader& file, const NeuralReadOptions& options);

// NetCDF-4 with dimensions presentation and neuroid.
bool is_assembly(const Hdf5Reader& file);
NeuralDataset read_assembly(const Hdf5Reader& file, const NeuralReadOptions& options);

NeuralDataset read_csv_responses(const std::string& path, const NeuralReadOptions& options);

// Throws InputError naming the option when it is used with a format that has no such thing.
void refuse_option(const std::string& value, const char* option, const std::string& file, const char* format);
// Texts as they are, integers of any size, other numbers as number_labels.
std::vector<std::string> hdf5_labels(const Hdf5Reader& file, const std::string& path);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// The formats behind array_container.h.
#pragma once

#include "analysis/data/array_container.h"

namespace chiasm {

std::unique_ptr<ArrayContainer> open_npy_arrays(const std::string& path);
std::unique_ptr<ArrayContainer> open_npz_arrays(const std::string& path);
std::unique_ptr<ArrayContainer> open_hdf5_arrays(const std::string& path);
std::unique_ptr<ArrayContainer> open_matlab_arrays(const std::string& path);
std::unique_ptr<ArrayContainer> open_csv_arrays(const std::string& path);

// Throws FileError(file, ...) that lists `known`, or the first few of them.
// "responses is a sparse array: save full(responses) instead".
std::string matlab_advice(const std::string& name, const std::string& what);

[[noreturn]] void throw_no_array(const std::string& file, const std::string& name,
                                 const std::vector<std::string>& known);

}  // namespace chiasm

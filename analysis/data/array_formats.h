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

// Elements [first, first + count) of the first axis.
Tensor elements_of(const Tensor& whole, std::int64_t first, std::int64_t count);

// The cell that "cell{*}" names; "" for every other name.
std::string stacked_cell(const std::string& name);
// The arrays cell{1} to cell{count} of a file along a first axis of their own; a first or last side of 1, which MATLAB
// gives every vector, goes. Throws FileError when there are none, or they differ in shape or type.
Tensor stack_cells(const ArrayContainer& file, const std::string& cell, std::size_t count);

// "responses is a sparse array: save full(responses) instead".
std::string matlab_advice(const std::string& name, const std::string& what);
// "responses holds complex numbers: save the real part or the absolute value instead", in files of no language.
std::string no_numbers_advice(const std::string& name, const std::string& what);

// Throws FileError(file, ...) that lists `known`, or the first few of them.
[[noreturn]] void throw_no_array(const std::string& file, const std::string& name,
                                 const std::vector<std::string>& known);

}  // namespace chiasm

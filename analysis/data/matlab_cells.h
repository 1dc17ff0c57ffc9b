// SPDX-License-Identifier: Apache-2.0
// Cells of MATLAB's -v7.3 files, which are arrays of references: where in the file their elements lie.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"

namespace chiasm {

// Paths are those of HDF5 without the first "/". Does not own the file.
class MatlabCells {
 public:
  explicit MatlabCells(const Hdf5Reader& file) : file_(file) {}

  bool is_cell(const std::string& path) const;
  // The elements in MATLAB's order; "" for one that is not where MATLAB keeps them. REQUIRES: is_cell(path).
  const std::vector<std::string>& elements(const std::string& path) const;
  // Where "cell{2}{1}" lies, counted from 1; a name without braces lies where it says. "" when there is no such
  // element.
  std::string find(const std::string& name) const;

 private:
  const Hdf5Reader& file_;
  mutable std::map<std::uint64_t, std::string> places_;  // of what cells hold
  mutable std::map<std::string, std::vector<std::string>> known_;
};

// The rows of a matrix of characters, whose UTF-16 codes HDF5 has in this shape, the last axis along the rows of
// MATLAB; without what fills them up.
std::vector<std::string> matlab_texts(const std::vector<std::int64_t>& codes, const Shape& shape);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Dissimilarity matrices that people have in files.
#pragma once

#include <string>
#include <vector>

#include "analysis/similarity/rdm.h"

namespace chiasm {

struct NamedRdm {
  std::string name;
  Rdm rdm;
};

// From NPY, NPZ, HDF5 and MATLAB files: each array that fits `key` (a name or a pattern; empty: every array that can be
// one) is a triangle [pairs], a square [n, n], or several of them along the first axis. Throws FileError when there is
// none and for arrays that are neither.
std::vector<NamedRdm> read_rdms(const std::string& path, const std::string& key);

}  // namespace chiasm

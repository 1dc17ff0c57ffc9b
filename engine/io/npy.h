// SPDX-License-Identifier: Apache-2.0
// NPY and NPZ, NumPy's formats for one and for several named arrays (NPZ is a zip file of NPY files).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/io/byte_source.h"
#include "engine/tensor.h"

namespace chiasm {

// NPY versions 1 to 3, C or Fortran order, either byte order. f4, f8 and u1 as they are; f2 becomes float32, b1 uint8,
// i1, i2, i4, i8, u2, u4 and u8 int32. Throws FileError for everything that is not one whole array, for other types
// (Python objects are never read: that would run code), and for integers that int32 cannot hold.
Tensor read_npy(const std::string& path);
Tensor read_npy(ByteSource& source);

// Version 1, little-endian, C order. Whole or not at all; throws SystemError. REQUIRES: the tensor has data.
void write_npy(const std::string& path, const Tensor& tensor);

// Array names are those of the entries without ".npy". Entries may be stored or deflated. Throws FileError as read_npy
// does, and for damaged, encrypted or split zip files.
std::map<std::string, Tensor> read_npz(const std::string& path);
// One array of it; the error for a missing one lists those that are there.
Tensor read_npz(const std::string& path, const std::string& name);

// Throws InputError beyond 65534 arrays, and for names that are empty or too long for a zip file.
void write_npz(const std::string& path, const std::map<std::string, Tensor>& tensors, bool compress = false);

}  // namespace chiasm

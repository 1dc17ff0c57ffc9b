// SPDX-License-Identifier: Apache-2.0
// The header of an NPY file: a Python dictionary of three literals. Parsed by a grammar of exactly that; nothing is
// evaluated.
#pragma once

#include <string>
#include <string_view>

#include "engine/io/byte_source.h"
#include "engine/io/storage_type.h"
#include "kernels/shape.h"

namespace chiasm {

struct NpyHeader {
  StorageType type = StorageType::kFloat32;
  std::int64_t text_length = 0;  // above 0: texts of at most so many characters, 4 bytes each, and `type` means nothing
  bool big_endian = false;
  bool fortran_order = false;
  Shape shape;
};

// "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }". Throws FileError(file, ...).
NpyHeader parse_npy_header(std::string_view text, const std::string& file);
// What comes before the header and the header itself, from a file that is read from its start. Throws FileError.
NpyHeader read_npy_header(ByteSource& source);
// With the padding and newline of the format: with the 10 bytes before it, a multiple of 64.
std::string npy_header_text(DType dtype, const Shape& shape);
std::string npy_header_text(const std::string& descr, const Shape& shape);

}  // namespace chiasm

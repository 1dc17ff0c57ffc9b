// SPDX-License-Identifier: Apache-2.0
// safetensors: named tensors and string metadata, the format of snapshots, also read and written by Python's
// `safetensors`. 8 bytes of little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, the data
// without gaps.
#pragma once

#include <map>
#include <string>

#include "engine/tensor.h"

namespace chiasm {

struct Safetensors {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

// Written whole or not at all (AtomicFile; throws SystemError). Every tensor begins at a multiple of its element size,
// and the metadata get a checksum of the data. Throws InputError for a tensor without data, for names or metadata that
// are not UTF-8, and for the reserved names "__metadata__" (tensor) and "chiasm.crc32" (metadata).
void write_safetensors(const std::string& path, const Safetensors& content);

// F32, F64, I32 and U8 as they are; BOOL becomes uint8, F16 and BF16 float32, I64 int32. Throws FileError for
// everything that is not a whole, consistent file, for other types, for an I64 value that int32 cannot hold, and when
// there is a checksum that the data do not match (the checksum is not returned).
Safetensors read_safetensors(const std::string& path);

}  // namespace chiasm

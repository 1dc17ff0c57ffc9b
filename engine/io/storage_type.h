// SPDX-License-Identifier: Apache-2.0
// The element types that files hold, and how they become the types that tensors have: half precisions widen to float32,
// booleans become uint8, other integers become int32 when every value fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kernels/dtype.h"

namespace chiasm {

enum class StorageType {
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
  kBool,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kInt8,
  kInt16,
  kInt32,
  kInt64
};

std::size_t size_of(StorageType type);
DType dtype_for(StorageType type);
// The type that holds exactly the values of `type`.
StorageType storage_of(DType type);

// Decodes raw.size() / size_of(type) values into `out`, an array of dtype_for(type). Throws FileError(file, field) for
// an integer beyond int32. REQUIRES: room in `out`, and raw.size() is a multiple of the element size.
void decode_values(StorageType type, bool big_endian, std::span<const std::byte> raw, std::span<std::byte> out,
                   const std::string& file, const std::string& field);

}  // namespace chiasm

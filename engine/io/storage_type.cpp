// SPDX-License-Identifier: Apache-2.0
#include "engine/io/storage_type.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

#include "kernels/error.h"

static_assert(std::endian::native == std::endian::little, "files are little-endian and decoded without a swap");

namespace chiasm {
namespace {

float from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const auto fraction = static_cast<float>(bits & 1023);
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * fraction * 0x1p-24F;
  if (exponent == 31) {
    return fraction == 0 ? sign * std::numeric_limits<float>::infinity()
                         : std::copysign(std::numeric_limits<float>::quiet_NaN(), sign);
  }
  return sign * std::ldexp(1024.0F + fraction, exponent - 25);
}

float from_brain(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

// Stored is the bit pattern or integer in the file, Kept the tensor's element.
template <class Stored, class Kept, class Convert>
void decode(bool big_endian, std::span<const std::byte> raw, std::span<std::byte> out, Convert&& convert) {
  const std::size_t count = raw.size() / sizeof(Stored);
  for (std::size_t i = 0; i < count; ++i) {
    std::byte bytes[sizeof(Stored)];
    std::memcpy(bytes, raw.data() + i * sizeof(Stored), sizeof(Stored));
    if (big_endian) std::reverse(std::begin(bytes), std::end(bytes));
    const Kept kept = convert(std::bit_cast<Stored>(bytes), i);
    std::memcpy(out.data() + i * sizeof(Kept), &kept, sizeof(Kept));
  }
}

}  // namespace

std::size_t size_of(StorageType type) {
  switch (type) {
    case StorageType::kBool:
    case StorageType::kUInt8:
    case StorageType::kInt8:
      return 1;
    case StorageType::kFloat16:
    case StorageType::kBFloat16:
    case StorageType::kUInt16:
    case StorageType::kInt16:
      return 2;
    case StorageType::kFloat32:
    case StorageType::kUInt32:
    case StorageType::kInt32:
      return 4;
    case StorageType::kFloat64:
    case StorageType::kUInt64:
    case StorageType::kInt64:
      return 8;
  }
  return 0;
}

DType dtype_for(StorageType type) {
  switch (type) {
    case StorageType::kFloat16:
    case StorageType::kBFloat16:
    case StorageType::kFloat32:
      return DType::kFloat32;
    case StorageType::kFloat64:
      return DType::kFloat64;
    case StorageType::kBool:
    case StorageType::kUInt8:
      return DType::kUInt8;
    default:
      return DType::kInt32;
  }
}

StorageType storage_of(DType type) {
  switch (type) {
    case DType::kFloat32:
      return StorageType::kFloat32;
    case DType::kFloat64:
      return StorageType::kFloat64;
    case DType::kInt32:
      return StorageType::kInt32;
    case DType::kUInt8:
      return StorageType::kUInt8;
  }
  throw InternalError("unknown element type");
}

void decode_values(StorageType type, bool big_endian, std::span<const std::byte> raw, std::span<std::byte> out,
                   const std::string& file, const std::string& field) {
  const auto same = [](auto value, std::size_t) { return value; };
  const auto integer = [&](auto value, std::size_t i) {
    if (!std::in_range<std::int32_t>(value)) {
      throw FileError(file, field,
                      "value " + std::to_string(i) + " is " + std::to_string(value) + ", beyond 32-bit integers");
    }
    return static_cast<std::int32_t>(value);
  };
  const bool as_it_is = storage_of(dtype_for(type)) == type;
  if (as_it_is && (!big_endian || size_of(type) == 1)) {
    if (!raw.empty()) std::memcpy(out.data(), raw.data(), raw.size());
    return;
  }
  switch (type) {
    case StorageType::kFloat16:
      return decode<std::uint16_t, float>(big_endian, raw, out, [](auto bits, auto) { return from_half(bits); });
    case StorageType::kBFloat16:
      return decode<std::uint16_t, float>(big_endian, raw, out, [](auto bits, auto) { return from_brain(bits); });
    case StorageType::kFloat32:
    case StorageType::kInt32:
      return decode<std::uint32_t, std::uint32_t>(big_endian, raw, out, same);
    case StorageType::kFloat64:
      return decode<std::uint64_t, std::uint64_t>(big_endian, raw, out, same);
    case StorageType::kUInt8:
    case StorageType::kBool:
      return decode<std::uint8_t, std::uint8_t>(false, raw, out, [](auto value, auto) { return value != 0 ? 1 : 0; });
    case StorageType::kUInt16:
      return decode<std::uint16_t, std::int32_t>(big_endian, raw, out, integer);
    case StorageType::kUInt32:
      return decode<std::uint32_t, std::int32_t>(big_endian, raw, out, integer);
    case StorageType::kUInt64:
      return decode<std::uint64_t, std::int32_t>(big_endian, raw, out, integer);
    case StorageType::kInt8:
      return decode<std::int8_t, std::int32_t>(big_endian, raw, out, integer);
    case StorageType::kInt16:
      return decode<std::int16_t, std::int32_t>(big_endian, raw, out, integer);
    case StorageType::kInt64:
      return decode<std::int64_t, std::int32_t>(big_endian, raw, out, integer);
  }
}

}  // namespace chiasm

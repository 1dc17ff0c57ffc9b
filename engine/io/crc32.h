// SPDX-License-Identifier: Apache-2.0
// CRC-32 (the one of gzip, PNG and zip): finds damage, proves nothing about intent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace chiasm {

// The checksum of `bytes` that follow what `before` is the checksum of; 0 for nothing.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);

// Of the whole content of a file. Throws FileError and SystemError as InputFile does.
std::uint32_t crc32_of_file(const std::string& path);

// The checksum of two pieces, one behind the other, from theirs.
std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::int64_t second_bytes);

}  // namespace chiasm

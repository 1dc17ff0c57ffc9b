// SPDX-License-Identifier: Apache-2.0
#include "engine/io/crc32.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "engine/io/input_file.h"

namespace chiasm {

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before) {
  return static_cast<std::uint32_t>(::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t crc32_of_file(const std::string& path) {
  constexpr std::int64_t kPieceBytes = std::int64_t{1} << 20;
  const InputFile file(path);
  std::vector<std::byte> piece;
  std::uint32_t checksum = 0;
  for (std::int64_t at = 0; at < file.size(); at += kPieceBytes) {
    piece.resize(static_cast<std::size_t>(std::min(kPieceBytes, file.size() - at)));
    file.read(at, piece);
    checksum = crc32(piece, checksum);
  }
  return checksum;
}

std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::int64_t second_bytes) {
  static_assert(sizeof(z_off_t) == sizeof(std::int64_t));
  return static_cast<std::uint32_t>(::crc32_combine(first, second, second_bytes));
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
#include "engine/io/npy.h"

#include <array>
#include <cstring>
#include <limits>

#include "engine/io/atomic_file.h"
#include "engine/io/column_major.h"
#include "engine/io/npy_bytes.h"
#include "engine/io/npy_header.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::int64_t kMostHeaderBytes = std::int64_t{1} << 16;  // NumPy itself refuses more than 10000

std::string read_header_text(ByteSource& source) {
  std::array<std::byte, 8> start{};
  source.read(start, "magic string");
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0) {
    throw FileError(source.name(), "magic string", "an NPY file begins with \\x93NUMPY");
  }
  const int version = std::to_integer<int>(start[6]);
  if (version < 1 || version > 3 || start[7] != std::byte{0}) {
    throw FileError(source.name(), "version",
                    "found " + std::to_string(version) + "." + std::to_string(std::to_integer<int>(start[7])) +
                        ", 1.0, 2.0 and 3.0 are allowed");
  }
  std::array<std::byte, 4> length_bytes{};
  source.read(std::span(length_bytes).first(version == 1 ? 2 : 4), "header length");
  std::int64_t length = 0;
  for (int i = 3; i >= 0; --i) length = length << 8 | std::to_integer<int>(length_bytes[static_cast<std::size_t>(i)]);
  if (length > kMostHeaderBytes) {
    throw FileError(
        source.name(), "header length",
        "found " + std::to_string(length) + ", at most " + std::to_string(kMostHeaderBytes) + " is allowed");
  }
  const std::vector<std::byte> text = source.read(length, "header");
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

}  // namespace

NpyHeader read_npy_header(ByteSource& source) { return parse_npy_header(read_header_text(source), source.name()); }

Tensor read_npy(ByteSource& source) {
  const NpyHeader header = read_npy_header(source);
  if (header.text_length > 0)
    throw FileError(source.name(), "NPY header", "an array of numbers is needed, found texts");
  const auto size = static_cast<std::int64_t>(size_of(header.type));
  const std::int64_t count = header.shape.elements();
  if (count > std::numeric_limits<std::int64_t>::max() / 8) {
    throw FileError(source.name(), "shape", to_string(header.shape) + " is more than any file holds");
  }
  const std::vector<std::byte> raw = source.read(count * size, "values of " + to_string(header.shape));
  source.expect_end();
  Tensor tensor(Spec{dtype_for(header.type), header.shape});
  decode_values(header.type, header.big_endian, raw, tensor.bytes(), source.name(), "values");
  return header.fortran_order && header.shape.rank() > 1 ? row_major_from(tensor, header.shape) : tensor;
}

Tensor read_npy(const std::string& path) {
  ByteSource source(path);
  return read_npy(source);
}

std::vector<std::byte> npy_preamble(const Spec& spec) { return npy_preamble(npy_header_text(spec.dtype, spec.shape)); }

std::vector<std::byte> npy_preamble(const std::string& text) {
  std::string start(kMagic);
  start += '\x01';
  start += '\x00';
  start += static_cast<char>(text.size() & 255);
  start += static_cast<char>(text.size() >> 8);
  start += text;
  const auto bytes = std::as_bytes(std::span(start.data(), start.size()));
  return {bytes.begin(), bytes.end()};
}

void write_npy(const std::string& path, const Tensor& tensor) {
  AtomicFile file(path);
  file.write(npy_preamble(tensor.spec()));
  file.write(tensor.bytes());
  file.commit();
}

}  // namespace chiasm

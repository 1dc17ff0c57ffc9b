// SPDX-License-Identifier: Apache-2.0
#include "engine/io/npy_text.h"

#include <algorithm>
#include <limits>

#include "engine/io/npy_bytes.h"
#include "engine/io/npy_header.h"
#include "engine/io/utf8.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

std::vector<std::byte> file_of(const std::vector<std::u32string>& texts, const Shape& shape) {
  std::size_t length = 1;
  for (const std::u32string& text : texts) length = std::max(length, text.size());
  std::vector<std::byte> file = npy_preamble(npy_header_text("<U" + std::to_string(length), shape));
  for (const std::u32string& text : texts) {
    for (std::size_t i = 0; i < length; ++i) {
      const char32_t code = i < text.size() ? text[i] : 0;
      for (int shift : {0, 8, 16, 24}) file.push_back(static_cast<std::byte>(code >> shift & 0xFF));
    }
  }
  return file;
}

}  // namespace

std::vector<std::byte> npy_texts(const std::vector<std::string>& texts) {
  std::vector<std::u32string> decoded;
  for (const std::string& text : texts) decoded.push_back(from_utf8(text));
  return file_of(decoded, {std::ssize(texts)});
}

std::vector<std::byte> npy_text(std::string_view text) { return file_of({from_utf8(text)}, {}); }

std::vector<std::string> read_npy_texts(ByteSource& source) {
  const NpyHeader header = read_npy_header(source);
  if (header.text_length == 0)
    throw FileError(source.name(), "NPY header", "an array of texts is needed, found numbers");
  const std::int64_t count = header.shape.elements();
  if (count > std::numeric_limits<std::int64_t>::max() / 4 / header.text_length) {
    throw FileError(source.name(), "shape", to_string(header.shape) + " is more than any file holds");
  }
  const std::vector<std::byte> raw = source.read(4 * count * header.text_length, "texts");
  source.expect_end();
  std::vector<std::string> texts(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < raw.size(); i += 4) {
    char32_t code = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      code |= std::to_integer<char32_t>(raw[i + k]) << 8 * (header.big_endian ? 3 - k : k);
    }
    if (code > 0x10FFFF) throw FileError(source.name(), "text " + std::to_string(i / 4), "is no Unicode");
    // Zeros fill up a text; one inside it ends it, as in NumPy.
    if (code != 0) append_utf8(code, texts[i / 4 / static_cast<std::size_t>(header.text_length)]);
  }
  return texts;
}

}  // namespace chiasm

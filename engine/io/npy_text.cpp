// SPDX-License-Identifier: Apache-2.0
#include "engine/io/npy_text.h"

#include <algorithm>
#include <limits>

#include "engine/io/npy_bytes.h"
#include "engine/io/npy_header.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr char32_t kEscape = 0xDC00;  // + byte: a byte that is no UTF-8

// The length in bytes of the well-formed sequence that `text` begins with (Unicode 15, table 3-7), or 0.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
      (first == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

std::u32string decode(std::string_view text) {
  std::u32string result;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      result += kEscape + first;
      text.remove_prefix(1);
      continue;
    }
    char32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
    result += code;
    text.remove_prefix(length);
  }
  return result;
}

void encode(char32_t code, std::string& text) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80 || (code >= kEscape + 0x80 && code <= kEscape + 0xFF)) {
    put(code & 0xFF);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

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
  for (const std::string& text : texts) decoded.push_back(decode(text));
  return file_of(decoded, {std::ssize(texts)});
}

std::vector<std::byte> npy_text(std::string_view text) { return file_of({decode(text)}, {}); }

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
    if (code != 0) encode(code, texts[i / 4 / static_cast<std::size_t>(header.text_length)]);
  }
  return texts;
}

}  // namespace chiasm

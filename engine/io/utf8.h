// SPDX-License-Identifier: Apache-2.0
// UTF-8 and the code points it stands for. Bytes that are no UTF-8, which file names may hold, become lone surrogates
// and back, as in Python's file names ("surrogateescape").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chiasm {

inline constexpr std::string_view kUtf8Replacement = "\xEF\xBF\xBD";  // U+FFFD

// The length in bytes of the well-formed sequence that `text` begins with (Unicode 15, table 3-7), or 0. REQUIRES: text
// is not empty.
std::size_t utf8_length(std::string_view text);
// With U+FFFD for every byte that is part of no such sequence: what may be printed anywhere.
std::string well_formed_utf8(std::string_view text);

std::u32string from_utf8(std::string_view text);
// Code units of UTF-16 as code points: two surrogates that belong together become one.
void join_surrogates(std::u32string& text);
// What is wrong with the encoding of a file that has to be UTF-8, such as "is UTF-16 text ..."; "" where nothing tells.
std::string other_encoding(std::string_view text);
// REQUIRES: code is at most 0x10FFFF.
void append_utf8(char32_t code, std::string& text);

}  // namespace chiasm

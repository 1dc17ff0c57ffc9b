// SPDX-License-Identifier: Apache-2.0
// UTF-8 and the code points it stands for. Bytes that are no UTF-8, which file names may hold, become lone surrogates
// and back, as in Python's file names ("surrogateescape").
#pragma once

#include <string>
#include <string_view>

namespace chiasm {

std::u32string from_utf8(std::string_view text);
// REQUIRES: code is at most 0x10FFFF.
void append_utf8(char32_t code, std::string& text);

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// Texts in NPY files: NumPy's arrays of fixed-length Unicode ("<U12", 4 bytes a character). Bytes that are no UTF-8,
// which file names may hold, become lone surrogates and back, as in Python's file names ("surrogateescape").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/byte_source.h"

namespace chiasm {

// Whole NPY files: an array of shape [texts], and a single text of shape [].
std::vector<std::byte> npy_texts(const std::vector<std::string>& texts);
std::vector<std::byte> npy_text(std::string_view text);

// The texts of an array of any shape. Throws FileError for everything that is not one whole array of texts.
std::vector<std::string> read_npy_texts(ByteSource& source);

}  // namespace chiasm

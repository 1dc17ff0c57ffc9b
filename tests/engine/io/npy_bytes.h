// SPDX-License-Identifier: Apache-2.0
// NPY files with any header text, right or wrong.
#pragma once

#include <string>

#include "tests/support/file_corpus.h"

namespace chiasm::test {

inline Bytes npy_file(const std::string& header, const Bytes& data, int version = 1) {
  Bytes file = bytes_of("\x93NUMPY");
  file.push_back(static_cast<std::byte>(version));
  file.push_back(std::byte{0});
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) file.push_back(static_cast<std::byte>(header.size() >> 8 * i & 255));
  append(file, bytes_of(header));
  append(file, data);
  return file;
}

}  // namespace chiasm::test

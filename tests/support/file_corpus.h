// SPDX-License-Identifier: Apache-2.0
// What tests of file formats share: a folder that vanishes, bytes to write into it, and damage done to a valid file.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chiasm::test {

using Bytes = std::vector<std::byte>;

// A new folder, removed with all it holds.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file (making folders on the way) and returns its path.
  std::string write(const std::string& name, const Bytes& content) const;
  std::vector<std::string> names() const;  // of what is in it, sorted

 private:
  std::string path_;
};

Bytes bytes_of(std::string_view text);
Bytes read_all(const std::string& path);
void append(Bytes& to, std::span<const std::byte> more);
void append_big_endian(Bytes& to, std::uint32_t value);
Bytes noise(std::size_t count, std::uint32_t seed = 1);  // the same bytes always
Bytes gzip(std::span<const std::byte> content);

// The message of the E that `body` throws. Fails the test when it throws nothing; other exceptions pass through.
template <class E>
std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

// Calls `load` with the path of: every truncation of `valid` (all lengths within the first `header` and the last 64
// bytes, a sample between), bits of the first `header` bytes flipped (all of the first 32 bytes, then every fifth), and
// `random` files with a few bytes changed anywhere. Each must load or throw FileError or InputError; anything else
// fails the test. With `truncations_must_throw`, a shortened file may not load. Returns how many were refused.
int expect_survives_damage(const Bytes& valid, std::size_t header, int random, bool truncations_must_throw,
                           const std::function<void(const std::string& path)>& load, const std::string& ending = "");

}  // namespace chiasm::test

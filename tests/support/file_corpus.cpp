// SPDX-License-Identifier: Apache-2.0
#include "tests/support/file_corpus.h"

#include <stdlib.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

#include "kernels/error.h"

namespace chiasm::test {

TempFolder::TempFolder() {
  // In memory where there is such a folder: damage tests write thousands of files.
  const bool memory = std::filesystem::is_directory("/dev/shm");
  path_ = ((memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) / "chiasm-test-XXXXXX")
              .string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make the folder " + path_);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::write(const std::string& name, const Bytes& content) const {
  const std::filesystem::path path = std::filesystem::path(path_) / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(content.data()), std::ssize(content));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
  return path.string();
}

std::vector<std::string> TempFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

Bytes read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) throw std::runtime_error("cannot read " + path);
  return bytes_of(content);
}

void append(Bytes& to, std::span<const std::byte> more) { to.insert(to.end(), more.begin(), more.end()); }

void append_big_endian(Bytes& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::byte>(value >> shift & 255));
}

Bytes noise(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 255);
  return bytes;
}

Bytes gzip(std::span<const std::byte> content) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  Bytes out(deflateBound(&stream, content.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

int expect_survives_damage(const Bytes& valid, std::size_t header, int random, bool truncations_must_throw,
                           const std::function<void(const std::string& path)>& load, const std::string& ending) {
  const TempFolder folder;
  int refused = 0;
  // Whether `damaged` was refused as it should be.
  const auto refuses = [&](const Bytes& damaged, const std::string& how) {
    const std::string path = folder.write("damaged" + ending, damaged);
    try {
      load(path);
      return false;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("damaged")) << how << ": the message does not name the file";
    } catch (const std::exception& error) {
      ADD_FAILURE() << how << ": " << error.what();
    }
    ++refused;
    return true;
  };

  const std::size_t step = std::max<std::size_t>(1, valid.size() / 97);
  for (std::size_t length = 0; length < valid.size();
       length += length < header || length + 64 >= valid.size() ? 1 : std::min(step, valid.size() - 64 - length)) {
    const bool threw = refuses(Bytes(valid.begin(), valid.begin() + static_cast<std::ptrdiff_t>(length)),
                               "cut to " + std::to_string(length) + " bytes");
    EXPECT_TRUE(threw || !truncations_must_throw) << "loaded when cut to " << length << " bytes";
  }
  for (std::size_t bit = 0; bit < 8 * std::min(header, valid.size()); bit += bit < 8 * 32 ? 1 : 5) {
    Bytes damaged = valid;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    refuses(damaged, "bit " + std::to_string(bit) + " flipped");
  }
  std::mt19937 generator(7);
  for (int i = 0; i < random; ++i) {
    Bytes damaged = valid;
    for (std::uint32_t changes = 1 + generator() % 4; changes > 0; --changes) {
      damaged[generator() % damaged.size()] = static_cast<std::byte>(generator() & 255);
    }
    refuses(damaged, "random damage " + std::to_string(i));
  }
  return refused;
}

}  // namespace chiasm::test

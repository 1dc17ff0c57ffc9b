// SPDX-License-Identifier: Apache-2.0
#include "engine/io/byte_source.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "engine/io/crc32.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;
constexpr std::int64_t kFirstChunk = std::int64_t{1} << 20;
// Deflate codes at most 258 bytes in 2 bits, and zlib may hold some output back.
constexpr std::int64_t kDeflateRatio = 1032;
constexpr std::int64_t kDeflateSlack = std::int64_t{1} << 16;

Coding coding_of(const InputFile& file) {
  std::array<std::byte, 2> magic{};
  if (file.size() < 2) return Coding::kStored;
  file.read(0, magic);
  return magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b} ? Coding::kGzip : Coding::kStored;
}

}  // namespace

struct ByteSource::Inflater {
  explicit Inflater(Coding coding) : buffer(kBufferBytes) {
    // Negative window bits mean deflate without a header, 16 more mean a gzip header and trailer.
    const int window = coding == Coding::kGzip ? MAX_WBITS + 16 : coding == Coding::kZlib ? MAX_WBITS : -MAX_WBITS;
    if (inflateInit2(&stream, window) != Z_OK) throw SystemError("no memory to decompress");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
  bool ended = false;
  std::vector<std::byte> buffer;
};

ByteSource::ByteSource(const std::string& path) : name_(path) {
  file_ = std::make_shared<InputFile>(path);
  coding_ = coding_of(*file_);
  end_ = file_->size();
  if (coding_ != Coding::kStored) inflater_ = std::make_unique<Inflater>(coding_);
}

ByteSource::ByteSource(std::shared_ptr<const InputFile> file, std::int64_t begin, std::int64_t length, Coding coding,
                       std::string name)
    : file_(std::move(file)), name_(std::move(name)), coding_(coding), next_(begin), end_(begin + length) {
  if (coding_ != Coding::kStored) inflater_ = std::make_unique<Inflater>(coding_);
}

ByteSource::~ByteSource() = default;
ByteSource::ByteSource(ByteSource&&) noexcept = default;
ByteSource& ByteSource::operator=(ByteSource&&) noexcept = default;

std::int64_t ByteSource::most_left() const {
  const std::int64_t unread = end_ - next_;
  if (coding_ == Coding::kStored) return unread;
  const std::int64_t input = unread + static_cast<std::int64_t>(inflater_->stream.avail_in);
  if (input > (std::numeric_limits<std::int64_t>::max() - kDeflateSlack) / kDeflateRatio) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return input * kDeflateRatio + kDeflateSlack;
}

void ByteSource::read(std::span<std::byte> out, const std::string& field) {
  const std::size_t wanted = out.size();
  while (!out.empty()) {
    const std::size_t count = read_some(out);
    if (count == 0) {
      throw FileError(name_, field,
                      "needs " + std::to_string(wanted) + " bytes, the data end after " +
                          std::to_string(wanted - out.size()) + " of them (at byte " + std::to_string(position_) + ")");
    }
    out = out.subspan(count);
  }
}

std::vector<std::byte> ByteSource::read(std::int64_t count, const std::string& field) {
  if (count > most_left()) {
    throw FileError(name_, field,
                    "needs " + std::to_string(count) + " bytes, at most " + std::to_string(most_left()) +
                        " can follow in this file");
  }
  std::vector<std::byte> content;
  std::int64_t chunk = coding_ == Coding::kStored ? count : kFirstChunk;
  while (static_cast<std::int64_t>(content.size()) < count) {
    const std::size_t have = content.size();
    const std::int64_t more = std::min(chunk, count - static_cast<std::int64_t>(have));
    content.resize(have + static_cast<std::size_t>(more));
    read(std::span(content).subspan(have), field);
    chunk = static_cast<std::int64_t>(content.size());
  }
  return content;
}

void ByteSource::expect_end() {
  std::byte extra{};
  const std::int64_t end = position_;
  if (read_some({&extra, 1}) != 0) {
    throw FileError(name_, "byte " + std::to_string(end), "bytes follow where the data should end");
  }
}

std::size_t ByteSource::read_some(std::span<std::byte> out) {
  const std::size_t count = coding_ == Coding::kStored ? read_stored(out) : read_inflated(out);
  crc32_ = chiasm::crc32(out.first(count), crc32_);
  position_ += static_cast<std::int64_t>(count);
  return count;
}

std::size_t ByteSource::read_stored(std::span<std::byte> out) {
  const std::size_t count = static_cast<std::size_t>(std::min<std::int64_t>(end_ - next_, std::ssize(out)));
  file_->read(next_, out.first(count));
  next_ += static_cast<std::int64_t>(count);
  return count;
}

bool ByteSource::refill() {
  z_stream& stream = inflater_->stream;
  if (stream.avail_in > 0) return true;
  const std::size_t count = static_cast<std::size_t>(std::min<std::int64_t>(end_ - next_, kBufferBytes));
  if (count == 0) return false;
  file_->read(next_, std::span(inflater_->buffer).first(count));
  next_ += static_cast<std::int64_t>(count);
  stream.next_in = reinterpret_cast<Bytef*>(inflater_->buffer.data());
  stream.avail_in = static_cast<uInt>(count);
  return true;
}

std::size_t ByteSource::read_inflated(std::span<std::byte> out) {
  z_stream& stream = inflater_->stream;
  const uInt wanted = static_cast<uInt>(std::min<std::size_t>(out.size(), std::size_t{1} << 30));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = wanted;
  while (stream.avail_out == wanted) {
    if (inflater_->ended) {
      if (!refill()) return 0;
      if (coding_ != Coding::kGzip) corrupt("bytes follow the compressed data");
      // A gzip file may be several, one after the other.
      inflateReset(&stream);
      inflater_->ended = false;
    }
    if (!refill()) corrupt("the compressed data end early");
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw SystemError("no memory to decompress " + name_);
    if (status == Z_STREAM_END) {
      inflater_->ended = true;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      corrupt(stream.msg != nullptr ? stream.msg : "not deflated data");
    }
  }
  return wanted - stream.avail_out;
}

void ByteSource::corrupt(const std::string& what) const {
  throw FileError(name_, "byte " + std::to_string(next_ - static_cast<std::int64_t>(inflater_->stream.avail_in)),
                  "corrupt compressed data: " + what);
}

}  // namespace chiasm

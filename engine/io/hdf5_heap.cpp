// SPDX-License-Identifier: Apache-2.0
// The formats of the HDF5 file format specification, version 3, sections III.E (global heap) and IV.A.2.l (filters).
#include "engine/io/hdf5_heap.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::size_t kObjectHead = 8;  // number, count of references and padding; then the length
constexpr std::int64_t kMostHeapBytes = std::int64_t{1} << 28;
constexpr std::size_t kMostHeaps = 1 << 16;

std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i > 0; --i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i - 1]);
  return value;
}

std::vector<std::byte> unshuffled(const std::vector<std::byte>& bytes, std::size_t element) {
  std::vector<std::byte> out(bytes.size());
  const std::size_t count = bytes.size() / element;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < element; ++k) out[i * element + k] = bytes[k * count + i];
  }
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(count * element), bytes.end(),
            out.begin() + static_cast<std::ptrdiff_t>(count * element));
  return out;
}

}  // namespace

Hdf5Heap::Hdf5Heap(std::shared_ptr<const InputFile> file, std::int64_t base, std::size_t address_bytes,
                   std::size_t length_bytes)
    : file_(std::move(file)), base_(base), address_bytes_(address_bytes), length_bytes_(length_bytes) {
  const auto allowed = [](std::size_t bytes) { return bytes == 2 || bytes == 4 || bytes == 8; };
  if (!allowed(address_bytes) || !allowed(length_bytes)) {
    throw FileError(file_->path(), "",
                    "has addresses of " + std::to_string(address_bytes) + " and lengths of " +
                        std::to_string(length_bytes) + " bytes");
  }
}

std::string Hdf5Heap::text(std::span<const std::byte> reference, const std::string& object) {
  const std::uint64_t length = number(reference, 0, 4);
  const std::uint64_t address = number(reference, 4, address_bytes_);
  const std::uint64_t index = number(reference, 4 + address_bytes_, 4);
  if (length == 0 || address == 0) return "";
  const Collection& heap = collection(address, object);
  const auto found = heap.objects.find(index);
  if (found == heap.objects.end() || found->second.size() < length) {
    throw FileError(file_->path(), object,
                    "refers to text " + std::to_string(index) + " of " + std::to_string(length) +
                        " bytes in the heap at byte " + std::to_string(address) + ", which has none such");
  }
  std::string text(reinterpret_cast<const char*>(found->second.data()), static_cast<std::size_t>(length));
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

const Hdf5Heap::Collection& Hdf5Heap::collection(std::uint64_t address, const std::string& object) {
  if (const auto known = collections_.find(address); known != collections_.end()) return known->second;
  const auto fail = [&](const std::string& what) {
    throw FileError(file_->path(), object, "the heap of texts at byte " + std::to_string(address) + " " + what);
  };
  const std::size_t head = 8 + length_bytes_;
  const auto room = static_cast<std::uint64_t>(std::max<std::int64_t>(0, file_->size() - base_));
  if (address > room || room - address < head) fail("lies behind the end of the file");
  if (collections_.size() >= kMostHeaps) fail("is one of more than " + std::to_string(kMostHeaps));
  const std::int64_t at = base_ + static_cast<std::int64_t>(address);
  std::vector<std::byte> start(head);
  file_->read(at, start);
  if (number(start, 0, 4) != 0x4C4F4347 || start[4] != std::byte{1}) fail("does not begin as one");  // "GCOL"
  const std::uint64_t size = number(start, 8, length_bytes_);
  if (size < head || size > room - address || size > kMostHeapBytes) {
    fail("says that it has " + std::to_string(size) + " bytes");
  }
  Collection& heap = collections_[address];
  heap.bytes.resize(static_cast<std::size_t>(size));
  file_->read(at, heap.bytes);
  const std::span<const std::byte> bytes(heap.bytes);
  for (std::size_t next = head; bytes.size() - next >= kObjectHead + length_bytes_;) {
    const std::uint64_t index = number(bytes, next, 2);
    if (index == 0) break;  // what follows is free
    const std::uint64_t length = number(bytes, next + kObjectHead, length_bytes_);
    next += kObjectHead + length_bytes_;
    if (length > bytes.size() - next) fail("holds a text of " + std::to_string(length) + " bytes, more than itself");
    heap.objects[index] = bytes.subspan(next, static_cast<std::size_t>(length));
    next = std::min<std::size_t>(bytes.size(), next + static_cast<std::size_t>((length + 7) / 8 * 8));
  }
  return heap;
}

std::vector<std::byte> hdf5_unfiltered(std::vector<std::byte> bytes, std::span<const int> ids, std::uint32_t skipped,
                                       std::size_t element, std::size_t most, const std::string& file,
                                       const std::string& object) {
  constexpr int kDeflate = 1, kShuffle = 2;
  for (std::size_t i = ids.size(); i > 0; --i) {
    if (i - 1 < 32 && (skipped >> (i - 1) & 1U) != 0) continue;
    switch (ids[i - 1]) {
      case kDeflate: {
        std::vector<std::byte> out(most);
        auto length = static_cast<uLongf>(out.size());
        if (uncompress(reinterpret_cast<Bytef*>(out.data()), &length, reinterpret_cast<const Bytef*>(bytes.data()),
                       static_cast<uLong>(bytes.size())) != Z_OK) {
          throw FileError(file, object,
                          "a chunk of it is no deflated data of at most " + std::to_string(most) + " bytes");
        }
        out.resize(length);
        bytes = std::move(out);
        break;
      }
      case kShuffle:
        bytes = unshuffled(bytes, element);
        break;
      default:
        throw FileError(file, object,
                        "is packed by filter " + std::to_string(ids[i - 1]) +
                            "; shuffle and deflate can be read for texts of any length");
    }
  }
  return bytes;
}

}  // namespace chiasm

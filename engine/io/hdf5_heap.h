// SPDX-License-Identifier: Apache-2.0
// Texts of any length in HDF5 files lie in "global heaps" beside the arrays that refer to them. The library (1.10)
// copies them without comparing their length with the room it made, so that a damaged file could write beyond it; they
// are read here from the bytes of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/io/input_file.h"

namespace chiasm {

class Hdf5Heap {
 public:
  // Addresses in the file count from `base`; they and lengths have so many bytes.
  Hdf5Heap(std::shared_ptr<const InputFile> file, std::int64_t base, std::size_t address_bytes,
           std::size_t length_bytes);

  // The bytes of one reference: length of the text, address of the heap, and number of the text in it.
  std::size_t reference_bytes() const { return 8 + address_bytes_; }
  // The text that `reference` refers to, up to its first zero; "" where it refers to nothing. Throws FileError naming
  // `object` when there is no such text.
  std::string text(std::span<const std::byte> reference, const std::string& object);

 private:
  struct Collection {
    std::vector<std::byte> bytes;
    std::map<std::uint64_t, std::span<const std::byte>> objects;
  };
  const Collection& collection(std::uint64_t address, const std::string& object);

  std::shared_ptr<const InputFile> file_;
  std::int64_t base_;
  std::size_t address_bytes_;
  std::size_t length_bytes_;
  std::map<std::uint64_t, Collection> collections_;
};

// The bytes of a chunk as they were before the filters `ids` (in the order in which they were applied; those whose bit
// is set in `skipped` were not). `element` is the size of an element in bytes. Understands shuffle and deflate. Throws
// FileError(file, object, ...) for others, when data are damaged, and when there are more than `most` bytes.
std::vector<std::byte> hdf5_unfiltered(std::vector<std::byte> bytes, std::span<const int> ids, std::uint32_t skipped,
                                       std::size_t element, std::size_t most, const std::string& file,
                                       const std::string& object);

}  // namespace chiasm

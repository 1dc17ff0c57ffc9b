// SPDX-License-Identifier: Apache-2.0
// What the files behind Hdf5Reader share. Identifiers of the library are numbers, as in hdf5_handle.h.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/io/hdf5.h"
#include "engine/io/hdf5_handle.h"
#include "engine/io/hdf5_heap.h"

namespace chiasm {

struct Hdf5Reader::Handles {
  Hdf5Handle file;
  std::shared_ptr<const InputFile> bytes;  // the same file
  mutable std::map<std::string, Hdf5Handle> arrays;
  mutable std::unique_ptr<Hdf5Heap> heap;  // from the first text on that needs it

  // Throws FileError when `path` is no array.
  std::int64_t array(const std::string& path) const;
  Hdf5Heap& texts() const;
};

// Throws FileError with the reason that the library gives.
[[noreturn]] void hdf5_damaged(const std::string& file, const std::string& object);
// Throws as hdf5_damaged does when there is no handle.
Hdf5Handle hdf5_checked(const std::string& file, const std::string& object, Hdf5Handle handle);
// The shape of a data space. Throws FileError where a tensor cannot have it.
Shape hdf5_shape(const std::string& file, const std::string& object, std::int64_t space);
// Throws FileError when an array claims more bytes than can be in the file, however they are packed.
void hdf5_require_room(const InputFile& file, const std::string& object, std::int64_t elements, std::size_t size);
// Texts of one length, as they lie in memory, without what fills them up.
std::vector<std::string> hdf5_cut(const std::string& raw, std::size_t length);
// The length of the texts of a type. Throws FileError when there would be too much text.
std::size_t hdf5_text_length(const std::string& file, const std::string& object, std::int64_t type, std::int64_t count);

}  // namespace chiasm

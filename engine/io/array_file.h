// SPDX-License-Identifier: Apache-2.0
// ArrayFile: an array in an NPY or NPZ file, read piece by piece, so that it may be larger than memory. Arrays in C
// order that are not compressed are read from where they lie; others are read whole when they are opened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/io/input_file.h"
#include "engine/io/storage_type.h"
#include "engine/io/zip.h"
#include "engine/tensor.h"

namespace chiasm {

class ArrayFile {
 public:
  // Element types as read_npy. Throws FileError as read_npy does, except for what is wrong with single values, which
  // read() finds; the checksum of an NPZ entry is checked only where it is read whole.
  static ArrayFile open_npy(const std::string& path);
  static ArrayFile open_npz(const ZipReader& zip, const ZipReader::Entry& entry);

  const Spec& spec() const { return spec_; }
  const std::string& name() const { return name_; }  // for messages: "file.npz(images.npy)"

  // `count` elements from `first` on, in row-major order; the result has shape [count]. Thread-safe.
  // REQUIRES: the range lies in the array.
  Tensor read(std::int64_t first, std::int64_t count) const;

 private:
  // `source` delivers the bytes of `file` from `begin` on.
  static ArrayFile in_place(ByteSource source, std::shared_ptr<const InputFile> file, std::int64_t begin);

  std::string name_;
  Spec spec_;
  Tensor whole_;  // when it was read at once
  std::shared_ptr<const InputFile> file_;
  std::int64_t begin_ = 0;  // of the values in the file
  StorageType type_ = StorageType::kFloat32;
  bool big_endian_ = false;
};

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// HDF5 files: arrays and texts by path ("/features/conv4"), written and read block by block, and attributes. Calls from
// several threads wait for each other, because the library is not built for threads everywhere.
// A program that uses HDF5 itself closes its files itself: from the first use here on, the library does not do it at
// exit.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/atomic_file.h"
#include "engine/tensor.h"

namespace chiasm {

class Hdf5Writer {
 public:
  // Appears at commit(), as AtomicFile does. All members throw SystemError naming the path and what the library says.
  // The file needs HDF5 1.10 or later to be read: that format has checksums of all its metadata.
  explicit Hdf5Writer(const std::string& path);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  // An array without values yet, with the groups on its way, cut into chunks of this shape (with a checksum each); rank
  // 0: in one piece.
  void array(const std::string& path, const Spec& spec, const Shape& chunk);
  // REQUIRES: the array was made here, `block` is dense, has its type and rank, and lies inside when it begins at
  // `first`.
  void write(const std::string& path, const Shape& first, const View& block);
  void array(const std::string& path, const View& values);
  void texts(const std::string& path, const std::vector<std::string>& values);

  // Of a group or an array; "/" is the file.
  void attribute(const std::string& path, const std::string& name, const std::string& value);
  void attribute(const std::string& path, const std::string& name, const std::vector<std::int64_t>& values);

  void commit();

 private:
  struct Handles;
  std::string path_;
  AtomicFile file_;
  std::unique_ptr<Handles> handles_;
};

class Hdf5Reader {
 public:
  // Throws FileError when it is no HDF5 file. The members throw FileError naming the object where it is missing, is
  // something else, or is damaged.
  explicit Hdf5Reader(const std::string& path);
  ~Hdf5Reader();
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  const std::string& path() const { return path_; }
  // Names of what is in a group, sorted.
  std::vector<std::string> names(const std::string& group) const;
  bool has(const std::string& path) const;
  // What tells an object from all others of its file, whatever the names that lead to it. Throws FileError when there
  // is none.
  std::uint64_t address(const std::string& path) const;
  enum class Kind { kNothing, kGroup, kNumbers, kTexts, kReferences, kOther };
  Kind kind(const std::string& path) const;
  // Floating-point numbers of 8 bytes are float64, shorter ones float32, integers int32.
  Spec spec(const std::string& path) const;
  // The block of this shape that begins at `first`. Throws InputError when it lies outside, FileError for integers that
  // int32 cannot hold.
  Tensor read(const std::string& path, const Shape& first, const Shape& shape) const;
  Tensor read(const std::string& path) const;
  // Texts of one length or of any, in row-major order. Those of any length are read from arrays that lie in one piece
  // or in chunks of one axis.
  std::vector<std::string> texts(const std::string& path) const;
  // Of numbers and texts.
  Shape shape(const std::string& path) const;
  // Integers, also those beyond 32 bits.
  std::vector<std::int64_t> integers(const std::string& path) const;
  // Of an array of references to objects, kReferences: the address of each, in row-major order; 0 for one to nothing.
  std::vector<std::uint64_t> references(const std::string& path) const;
  // What an array holds that are no numbers: "complex numbers", "a table of records", "texts"; "" for numbers and
  // groups.
  std::string words(const std::string& path) const;
  // The axes of the array `path` that the dimension scale `scale` describes.
  std::vector<int> axes_of_scale(const std::string& path, const std::string& scale) const;

  // Attributes that are one text of fixed length, by name.
  std::map<std::string, std::string> text_attributes(const std::string& path) const;
  std::vector<std::int64_t> integers(const std::string& path, const std::string& attribute) const;
  // Of an attribute of integers or floating-point numbers.
  std::vector<double> numbers(const std::string& path, const std::string& attribute) const;

 private:
  struct Handles;
  std::string path_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace chiasm

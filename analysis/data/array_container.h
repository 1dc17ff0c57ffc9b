// SPDX-License-Identifier: Apache-2.0
// ArrayContainer: the named arrays and lists of texts of a file, whatever its format: NPY, NPZ, HDF5,
// MATLAB, and a matrix as text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace chiasm {

class ArrayContainer {
 public:
  virtual ~ArrayContainer() = default;

  const std::string& path() const { return path_; }
  // "file.npz(name)", for messages.
  std::string label(const std::string& name) const { return name.empty() ? path_ : path_ + "(" + name + ")"; }

  // The arrays of numbers, sorted. That of an NPY file is called "". HDF5: paths without the first "/". MATLAB:
  // "variable", "struct.field", "cell{1}", "struct(2).field"; "cell{*}" stacks the arrays in a cell. A matrix as text
  // is called "", its ids are the texts "row ids" and "column ids".
  virtual std::vector<std::string> arrays() const = 0;
  // Whether there is an array or a list of texts of this name.
  virtual bool has(const std::string& name) const = 0;
  // These throw FileError when there is no array of numbers of this name, and when it is damaged.
  virtual Spec spec(const std::string& name) const = 0;
  virtual Tensor read(const std::string& name) const = 0;
  // Elements [first, first + count) of the first axis. Reads no more than that where the format allows it.
  // REQUIRES: rank of at least 1, and they lie inside.
  virtual Tensor read_part(const std::string& name, std::int64_t first, std::int64_t count) const = 0;
  // Texts of any shape, in row-major order; numbers as they are written: "7", "0.5". Throws FileError when there is
  // neither of this name.
  virtual std::vector<std::string> labels(const std::string& name) const = 0;
  // What the file holds that might have been meant and cannot be read, and how to save it instead: "responses is a
  // sparse array: save full(responses)"; empty when there is no such thing.
  virtual std::string unreadable() const { return ""; }

 protected:
  explicit ArrayContainer(std::string path) : path_(std::move(path)) {}

 private:
  std::string path_;
};

enum class FileFormat { kNpy, kNpz, kHdf5, kMatlab, kText };

// By content; kText for .csv, .tsv and .txt. Throws FileError for everything else, saying what can be read.
FileFormat format_of_file(const std::string& path);

// Throws FileError as format_of_file and the readers of the formats do.
std::unique_ptr<ArrayContainer> open_arrays(const std::string& path);

// Ids of the stimuli beside the arrays of a file: its texts "stimulus_ids" or "image_ids", or `edge` of a table of text
// ("row ids"). Empty: it has none.
std::vector<std::string> stimulus_ids_of(const ArrayContainer& file, const std::string& edge = "row ids");

// Numbers as texts: integers as such, others in the shortest form that reads back.
std::vector<std::string> number_labels(const Tensor& numbers);

}  // namespace chiasm

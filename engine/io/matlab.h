// SPDX-License-Identifier: Apache-2.0
// MATLAB files of version 5 (save's default, -v6 and -v7; version 7.3 is HDF5): numbers, texts, cells and structs,
// plain or compressed, in either byte order. Only plain data are read: objects, function handles, sparse and complex
// arrays are listed and named, but not read.
//
// Limits, so that a damaged file costs no more than a large one: nesting of 32 levels, 2^20 values within a variable,
// 2^32 bytes of one after decompression.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/input_file.h"
#include "engine/tensor.h"

namespace chiasm {

struct MatlabValue {
  enum class Kind { kNumbers, kTexts, kCell, kStruct, kOther };

  Kind kind = Kind::kOther;
  Shape shape;                        // as MATLAB says it; at least two axes
  Tensor numbers;                     // kNumbers, row-major. double and single as they are, logical and uint8 as uint8,
                                      // int8 to int32 and uint16 as int32, other integers as float64
  std::vector<std::string> texts;     // kTexts: a row of the array of characters each, UTF-8, without spaces at the end
  std::vector<MatlabValue> elements;  // kCell, kStruct: in column-major order; those of a struct field by field
  std::vector<std::string> fields;    // kStruct: their names
  std::string what;                   // kOther: "a sparse array"

  // Element `index` (column-major) of a cell. REQUIRES: it exists.
  const MatlabValue& element(std::int64_t index) const { return elements[static_cast<std::size_t>(index)]; }
  // Field number `field` of element `index` of a struct. REQUIRES: both exist.
  const MatlabValue& field(std::int64_t index, std::size_t field) const {
    return elements[static_cast<std::size_t>(index) * fields.size() + field];
  }
};

class MatlabReader {
 public:
  struct Variable {
    std::string name;
    MatlabValue::Kind kind = MatlabValue::Kind::kOther;
    Spec spec = {};  // kNumbers: of what read() gives. Else the shape says how many elements there are.
  };

  // Finds the variables. Throws FileError for what is no MATLAB file of version 5, and where it is damaged.
  explicit MatlabReader(const std::string& path);

  const std::string& path() const { return file_->path(); }
  const std::vector<Variable>& variables() const { return variables_; }
  // Throws FileError when the variable is damaged or over a limit. REQUIRES: it exists.
  MatlabValue read(std::size_t variable) const;

 private:
  struct Place {
    std::int64_t begin = 0;
    std::int64_t bytes = 0;
    bool compressed = false;
  };
  // The bytes of a variable, at most `most`, from behind its tag on; its length is put into `length`.
  std::vector<std::byte> content(const Place& place, const std::string& name, std::int64_t most,
                                 std::int64_t& length) const;

  std::shared_ptr<const InputFile> file_;
  bool big_endian_ = false;
  std::vector<Variable> variables_;
  std::vector<Place> places_;
};

}  // namespace chiasm

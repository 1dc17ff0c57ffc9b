// SPDX-License-Identifier: Apache-2.0
// The pieces of a MATLAB v5 file: elements, each a tag (type and length) and its bytes, and arrays made of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/io/matlab.h"

namespace chiasm {

enum class MatlabType {
  kInt8 = 1,
  kUInt8 = 2,
  kInt16 = 3,
  kUInt16 = 4,
  kInt32 = 5,
  kUInt32 = 6,
  kSingle = 7,
  kDouble = 9,
  kInt64 = 12,
  kUInt64 = 13,
  kMatrix = 14,
  kCompressed = 15,
  kUtf8 = 16,
  kUtf16 = 17,
  kUtf32 = 18
};

// Bytes of which elements are taken one after the other. Throws FileError naming the file and the variable.
class MatlabElements {
 public:
  struct Element {
    int type = 0;
    std::span<const std::byte> bytes;
    bool is(MatlabType t) const { return type == static_cast<int>(t); }
  };

  MatlabElements(std::span<const std::byte> bytes, bool big_endian, const std::string& file, const std::string& name)
      : bytes_(bytes), big_endian_(big_endian), file_(file), name_(name) {}

  bool empty() const { return at_ >= bytes_.size(); }
  bool big_endian() const { return big_endian_; }
  // `what` is what is expected, for messages.
  Element next(const char* what);
  // The next element, which has to be of this type; its bytes as these numbers.
  std::vector<std::uint32_t> next_words(const char* what);
  std::string next_name(const char* what);
  // What is inside `element`.
  MatlabElements inside(const Element& element) const { return {element.bytes, big_endian_, file_, name_}; }

  [[noreturn]] void fail(const std::string& what) const;
  const std::string& file() const { return file_; }

 private:
  std::span<const std::byte> bytes_;
  bool big_endian_;
  std::string file_;
  std::string name_;
  std::size_t at_ = 0;
};

// What stands at the beginning of an array.
struct MatlabHead {
  int array_class = 0;
  bool complex = false;
  bool logical = false;
  Shape shape;
  std::string name;
};
MatlabHead read_matlab_head(MatlabElements& elements);

// The kind of value of an array with this head and, for numbers, their type.
MatlabValue::Kind matlab_kind(const MatlabHead& head);
DType matlab_dtype(const MatlabHead& head);

// The array whose head has been read, from the elements behind it.
MatlabValue read_matlab_value(const MatlabHead& head, MatlabElements& elements);

// The numbers of an element, in its order, as `dtype`. Throws FileError when there are not `count`, and for integers
// that dtype does not hold.
Tensor matlab_numbers(const MatlabElements& elements, const MatlabElements::Element& element, DType dtype,
                      std::int64_t count);
// Its code points, for an array of `count` characters.
std::u32string matlab_characters(const MatlabElements& elements, const MatlabElements::Element& element,
                                 std::int64_t count);

}  // namespace chiasm

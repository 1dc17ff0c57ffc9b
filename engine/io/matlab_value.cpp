// SPDX-License-Identifier: Apache-2.0
// Arrays of MATLAB v5 files.
#include <algorithm>
#include <array>

#include "engine/io/column_major.h"
#include "engine/io/matlab_elements.h"
#include "engine/io/utf8.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr int kMostDepth = 32;
constexpr std::int64_t kMostValues = std::int64_t{1} << 20;
constexpr std::size_t kMostFields = 1 << 16;

enum Class {
  kCell = 1,
  kStruct = 2,
  kObject = 3,
  kChar = 4,
  kSparse = 5,
  kDouble = 6,
  kSingle = 7,
  kInt8 = 8,
  kUInt8 = 9,
  kInt16 = 10,
  kUInt16 = 11,
  kInt32 = 12,
  kUInt64 = 15,
  kFunction = 16,
  kOpaque = 17
};

bool is_numeric(int array_class) { return array_class >= kDouble && array_class <= kUInt64; }

std::string describe(const MatlabHead& head) {
  if (head.complex) return "an array of complex numbers";
  switch (head.array_class) {
    case kObject:
      return "an object";
    case kSparse:
      return "a sparse array";
    case kFunction:
      return "a function handle";
    case kOpaque:
      return "a string, a table or another object of MATLAB's own";
    default:
      return "an array of the unknown class " + std::to_string(head.array_class);
  }
}

class Parser {
 public:
  MatlabValue value(const MatlabHead& head, MatlabElements& elements, int depth) {
    if (depth > kMostDepth) elements.fail("more than " + std::to_string(kMostDepth) + " levels of cells and structs");
    if (++values_ > kMostValues) elements.fail("more than " + std::to_string(kMostValues) + " values");
    MatlabValue result;
    result.kind = matlab_kind(head);
    result.shape = head.shape;
    switch (result.kind) {
      case MatlabValue::Kind::kNumbers:
        read_numbers(head, elements, result);
        break;
      case MatlabValue::Kind::kTexts:
        read_texts(elements, result);
        break;
      case MatlabValue::Kind::kCell:
        read_cells(elements, result, 1, depth);
        break;
      case MatlabValue::Kind::kStruct:
        read_struct(elements, result, depth);
        break;
      case MatlabValue::Kind::kOther:
        result.what = describe(head);
        break;
    }
    return result;
  }

 private:
  static void read_numbers(const MatlabHead& head, MatlabElements& elements, MatlabValue& result) {
    const MatlabElements::Element element = elements.next("the numbers");
    const Tensor values = matlab_numbers(elements, element, matlab_dtype(head), head.shape.elements());
    result.numbers = row_major_from(values, head.shape);
  }

  static void read_texts(MatlabElements& elements, MatlabValue& result) {
    const std::int64_t count = result.shape.elements();
    if (count == 0) {
      if (result.shape[0] == 1 || result.shape == Shape{0, 0}) result.texts.emplace_back();
      return;
    }
    const std::u32string codes = matlab_characters(elements, elements.next("the characters"), count);
    const auto rows = static_cast<std::size_t>(result.shape[0]);
    if (rows > static_cast<std::size_t>(kMostValues))
      elements.fail("more than " + std::to_string(kMostValues) + " texts");
    // One row is its characters; in UTF-8 MATLAB may have counted them otherwise.
    if (rows != 1 && std::ssize(codes) != count) {
      elements.fail("there are " + std::to_string(codes.size()) + " characters, " + std::to_string(count) +
                    " are needed");
    }
    for (std::size_t row = 0; row < rows; ++row) {
      std::u32string text;
      for (std::size_t i = row; i < codes.size(); i += rows) text += codes[i];
      join_surrogates(text);
      while (!text.empty() && (text.back() == U' ' || text.back() == U'\0')) text.pop_back();
      std::string& utf8 = result.texts.emplace_back();
      for (const char32_t code : text) append_utf8(code, utf8);
    }
  }

  void read_cells(MatlabElements& elements, MatlabValue& result, std::int64_t per_element, int depth) {
    const std::int64_t count = result.shape.elements();
    // Checked here too, because the product below has to fit.
    if (count > kMostValues || count * per_element > kMostValues) {
      elements.fail("more than " + std::to_string(kMostValues) + " values");
    }
    for (std::int64_t i = 0; i < count * per_element; ++i) {
      const MatlabElements::Element element = elements.next("an element of a cell or struct");
      if (!element.is(MatlabType::kMatrix)) elements.fail("an element of a cell or struct is no array");
      MatlabElements inside = elements.inside(element);
      // An array without anything in it is [].
      if (element.bytes.empty()) {
        if (++values_ > kMostValues) elements.fail("more than " + std::to_string(kMostValues) + " values");
        MatlabValue nothing;
        nothing.kind = MatlabValue::Kind::kNumbers;
        nothing.shape = {0, 0};
        nothing.numbers = Tensor(Spec{DType::kFloat64, {0, 0}});
        result.elements.push_back(std::move(nothing));
        continue;
      }
      const MatlabHead head = read_matlab_head(inside);
      result.elements.push_back(value(head, inside, depth + 1));
    }
  }

  void read_struct(MatlabElements& elements, MatlabValue& result, int depth) {
    const std::vector<std::uint32_t> length = elements.next_words("the length of field names");
    if (length.size() != 1 || length[0] == 0) elements.fail("the length of field names is missing");
    const std::string names = elements.next_name("the names of fields");
    if (names.size() % length[0] != 0 || names.size() / length[0] > kMostFields) {
      elements.fail("the names of fields are not of equal length");
    }
    for (std::size_t at = 0; at < names.size(); at += length[0]) {
      std::string name = names.substr(at, length[0]);
      name.resize(std::min(name.find('\0'), name.size()));
      result.fields.push_back(std::move(name));
    }
    read_cells(elements, result, static_cast<std::int64_t>(result.fields.size()), depth);
  }

  std::int64_t values_ = 0;
};

}  // namespace

MatlabHead read_matlab_head(MatlabElements& elements) {
  const std::vector<std::uint32_t> flags = elements.next_words("the flags of an array");
  if (flags.size() != 2) elements.fail("the flags of an array are not 8 bytes");
  MatlabHead head;
  head.array_class = static_cast<int>(flags[0] & 0xFF);
  head.complex = (flags[0] & 0x800) != 0;
  head.logical = (flags[0] & 0x200) != 0;
  // Objects of later kinds have a name, but no sizes.
  if (head.array_class == kOpaque) {
    head.shape = {1, 1};
    head.name = elements.next_name("a name");
    return head;
  }
  std::vector<std::int64_t> sizes;
  for (const std::uint32_t size : elements.next_words("the sizes of an array")) {
    sizes.push_back(static_cast<std::int32_t>(size));
  }
  if (sizes.size() < 2) elements.fail("an array has " + std::to_string(sizes.size()) + " axes, at least 2 are needed");
  try {
    head.shape = Shape(sizes);
  } catch (const ShapeError& error) {
    elements.fail(error.what());
  }
  head.name = elements.next_name("a name");
  return head;
}

MatlabValue::Kind matlab_kind(const MatlabHead& head) {
  switch (head.array_class) {
    case kCell:
      return MatlabValue::Kind::kCell;
    case kStruct:
      return MatlabValue::Kind::kStruct;
    case kChar:
      return MatlabValue::Kind::kTexts;
    default:
      break;
  }
  return is_numeric(head.array_class) && !head.complex ? MatlabValue::Kind::kNumbers : MatlabValue::Kind::kOther;
}

DType matlab_dtype(const MatlabHead& head) {
  switch (head.array_class) {
    case kSingle:
      return DType::kFloat32;
    case kUInt8:
      return DType::kUInt8;
    case kInt8:
    case kInt16:
    case kUInt16:
    case kInt32:
      return DType::kInt32;
    default:
      return head.logical ? DType::kUInt8 : DType::kFloat64;
  }
}

MatlabValue read_matlab_value(const MatlabHead& head, MatlabElements& elements) {
  return Parser().value(head, elements, 0);
}

}  // namespace chiasm

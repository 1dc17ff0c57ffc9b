// SPDX-License-Identifier: Apache-2.0
#include "engine/io/npy_header.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::array kTypes{
    std::pair{"f2", StorageType::kFloat16}, std::pair{"f4", StorageType::kFloat32},
    std::pair{"f8", StorageType::kFloat64}, std::pair{"b1", StorageType::kBool},
    std::pair{"u1", StorageType::kUInt8},   std::pair{"u2", StorageType::kUInt16},
    std::pair{"u4", StorageType::kUInt32},  std::pair{"u8", StorageType::kUInt64},
    std::pair{"i1", StorageType::kInt8},    std::pair{"i2", StorageType::kInt16},
    std::pair{"i4", StorageType::kInt32},   std::pair{"i8", StorageType::kInt64},
};

constexpr std::int64_t kMostTextLength = std::int64_t{1} << 28;

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  NpyHeader parse() {
    NpyHeader header;
    std::set<std::string> keys;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      if (!keys.insert(key).second) fail("key '" + key + "' occurs twice");
      expect(':');
      if (key == "descr") {
        read_type(header);
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = shape();
      } else {
        fail("unknown key '" + key + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) fail("text follows the dictionary");
    if (keys.size() != 3) fail("descr, fortran_order and shape are needed");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(file_, "NPY header, character " + std::to_string(at_), what);
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("'") + c + "' is needed here");
  }

  std::string string() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail("a string is needed here");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos || end - at_ > 32) fail("a string of at most 31 characters is needed here");
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    // Whatever is quoted in a message later is printable.
    std::ranges::replace_if(
        value, [](char c) { return c < 32 || c > 126; }, '?');
    at_ = end + 1;
    return value;
  }

  bool boolean() {
    skip_space();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    fail("True or False is needed here");
  }

  std::int64_t integer() {
    skip_space();
    if (at_ >= text_.size() || std::isdigit(static_cast<unsigned char>(text_[at_])) == 0) fail("a size is needed here");
    std::int64_t value = 0;
    for (; at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0; ++at_) {
      if (value > (std::numeric_limits<std::int64_t>::max() - 9) / 10) fail("a size beyond 63 bits");
      value = value * 10 + (text_[at_] - '0');
    }
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote long integers so
    return value;
  }

  Shape shape() {
    expect('(');
    std::vector<std::int64_t> sizes;
    while (!accept(')')) {
      sizes.push_back(integer());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    try {
      return Shape(sizes);
    } catch (const ShapeError& error) {
      fail(error.what());
    }
  }

  void read_type(NpyHeader& header) {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[') fail("structured types cannot be read");
    const std::string descr = string();
    if (descr.find('O') != std::string::npos) fail("Python objects are not read, because reading them runs code");
    if (descr.size() > 2 && (descr[0] == '<' || descr[0] == '>') && descr[1] == 'U') {
      const char* const end = descr.data() + descr.size();
      const auto [rest, error] = std::from_chars(descr.data() + 2, end, header.text_length);
      if (error != std::errc() || rest != end || header.text_length < 1 || header.text_length > kMostTextLength) {
        fail("element type '" + descr + "'; texts of 1 to " + std::to_string(kMostTextLength) +
             " characters can be read");
      }
      header.big_endian = descr[0] == '>';
      return;
    }
    if (descr.size() > 1 && descr[1] == 'c') {
      fail("element type '" + descr + "', complex numbers: save the real part or the absolute value instead");
    }
    const auto type =
        descr.empty() ? kTypes.end()
                      : std::ranges::find_if(kTypes, [&](const auto& known) { return descr.substr(1) == known.first; });
    const bool order_known = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
    if (type == kTypes.end() || !order_known || (descr[0] == '|' && size_of(type->second) > 1)) {
      fail("element type '" + descr + "'; f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 and b1 can be read");
    }
    header.type = type->second;
    header.big_endian = descr[0] == '>';
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text, const std::string& file) { return Parser(text, file).parse(); }

std::string npy_header_text(DType dtype, const Shape& shape) {
  const StorageType storage = storage_of(dtype);
  const std::string type = std::ranges::find(kTypes, storage, [](const auto& entry) { return entry.second; })->first;
  return npy_header_text((size_of(storage) == 1 ? "|" : "<") + type, shape);
}

std::string npy_header_text(const std::string& descr, const Shape& shape) {
  std::string sizes;
  for (const std::int64_t size : shape.sizes()) sizes += std::to_string(size) + (shape.rank() == 1 ? "," : ", ");
  if (shape.rank() > 1) sizes.resize(sizes.size() - 2);
  std::string text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  constexpr std::size_t kBefore = 10, kMultiple = 64;
  text.append(kMultiple - (kBefore + text.size() + 1) % kMultiple, ' ');
  return text + '\n';
}

}  // namespace chiasm

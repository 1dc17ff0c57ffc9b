// SPDX-License-Identifier: Apache-2.0
#include "engine/io/matlab_elements.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/io/utf8.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

template <class T>
T load(const std::byte* from, bool big_endian) {
  std::byte bytes[sizeof(T)];
  std::memcpy(bytes, from, sizeof(T));
  if (big_endian) std::reverse(std::begin(bytes), std::end(bytes));
  return std::bit_cast<T>(bytes);
}

// Calls f with a value of the C++ type of `type`; false when it is no type of numbers.
template <class F>
bool visit_stored(int type, F&& f) {
  switch (static_cast<MatlabType>(type)) {
    case MatlabType::kInt8:
      f(std::int8_t{});
      return true;
    case MatlabType::kUInt8:
      f(std::uint8_t{});
      return true;
    case MatlabType::kInt16:
      f(std::int16_t{});
      return true;
    case MatlabType::kUInt16:
      f(std::uint16_t{});
      return true;
    case MatlabType::kInt32:
      f(std::int32_t{});
      return true;
    case MatlabType::kUInt32:
      f(std::uint32_t{});
      return true;
    case MatlabType::kSingle:
      f(float{});
      return true;
    case MatlabType::kDouble:
      f(double{});
      return true;
    case MatlabType::kInt64:
      f(std::int64_t{});
      return true;
    case MatlabType::kUInt64:
      f(std::uint64_t{});
      return true;
    default:
      return false;
  }
}

// Whether To holds `value` exactly, or as nearly as its kind allows.
template <class To, class From>
bool fits(From value) {
  if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
    return std::in_range<To>(value);
  } else if constexpr (std::is_integral_v<To>) {
    return value >= static_cast<From>(std::numeric_limits<To>::min()) &&
           static_cast<double>(value) <= static_cast<double>(std::numeric_limits<To>::max()) &&
           value == std::floor(value);
  } else if constexpr (std::is_integral_v<From> && sizeof(From) == 8) {
    constexpr auto kMost = std::int64_t{1} << 53;
    return std::cmp_less_equal(value, kMost) && std::cmp_greater_equal(value, -kMost);
  } else {
    return true;
  }
}

}  // namespace

void MatlabElements::fail(const std::string& what) const {
  throw FileError(file_, name_ + ", byte " + std::to_string(at_), what);
}

MatlabElements::Element MatlabElements::next(const char* what) {
  if (bytes_.size() - at_ < 8) fail(std::string("the data end where ") + what + " should be");
  const auto first = load<std::uint32_t>(bytes_.data() + at_, big_endian_);
  Element element;
  if (first >> 16 != 0) {  // up to 4 bytes stand in the tag itself
    const std::size_t length = first >> 16;
    if (length > 4)
      fail(std::string("the tag of ") + what + " says " + std::to_string(length) + " bytes within itself");
    element = {static_cast<int>(first & 0xFFFF), bytes_.subspan(at_ + 4, length)};
    at_ += 8;
    return element;
  }
  const std::size_t length = load<std::uint32_t>(bytes_.data() + at_ + 4, big_endian_);
  if (length > bytes_.size() - at_ - 8) {
    fail(std::string(what) + " needs " + std::to_string(length) + " bytes, there are " +
         std::to_string(bytes_.size() - at_ - 8));
  }
  element = {static_cast<int>(first), bytes_.subspan(at_ + 8, length)};
  at_ = std::min(bytes_.size(), at_ + 8 + (length + 7) / 8 * 8);
  return element;
}

std::vector<std::uint32_t> MatlabElements::next_words(const char* what) {
  const Element element = next(what);
  if ((!element.is(MatlabType::kUInt32) && !element.is(MatlabType::kInt32)) || element.bytes.size() % 4 != 0) {
    fail(std::string(what) + " is of type " + std::to_string(element.type) + " with " +
         std::to_string(element.bytes.size()) + " bytes; integers of 4 bytes are needed");
  }
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i < element.bytes.size(); i += 4) {
    words.push_back(load<std::uint32_t>(element.bytes.data() + i, big_endian_));
  }
  return words;
}

std::string MatlabElements::next_name(const char* what) {
  const Element element = next(what);
  if (!element.is(MatlabType::kInt8) && !element.is(MatlabType::kUInt8) && !element.is(MatlabType::kUtf8)) {
    fail(std::string(what) + " is of type " + std::to_string(element.type) + "; text is needed");
  }
  return {reinterpret_cast<const char*>(element.bytes.data()), element.bytes.size()};
}

Tensor matlab_numbers(const MatlabElements& elements, const MatlabElements::Element& element, DType dtype,
                      std::int64_t count) {
  Tensor numbers;
  const bool known = visit_stored(element.type, [&]<class S>(S) {
    if (std::ssize(element.bytes) / static_cast<std::int64_t>(sizeof(S)) != count ||
        element.bytes.size() % sizeof(S) != 0) {
      elements.fail("there are " + std::to_string(element.bytes.size() / sizeof(S)) + " numbers, " +
                    std::to_string(count) + " are needed");
    }
    numbers = Tensor(Spec{dtype, {count}});
    visit_any(dtype, [&]<class T>() {
      const std::span<T> out = numbers.values<T>();
      for (std::size_t i = 0; i < out.size(); ++i) {
        const S value = load<S>(element.bytes.data() + i * sizeof(S), elements.big_endian());
        if (!fits<T>(value)) {
          elements.fail("number " + std::to_string(i) + " is " + std::to_string(value) + ", which " +
                        std::string(name_of(dtype)) + " does not hold");
        }
        out[i] = static_cast<T>(value);
      }
    });
  });
  if (!known) elements.fail("numbers are of the unknown type " + std::to_string(element.type));
  return numbers;
}

std::u32string matlab_characters(const MatlabElements& elements, const MatlabElements::Element& element,
                                 std::int64_t count) {
  std::u32string text;
  if (element.is(MatlabType::kUtf8)) {
    text = from_utf8({reinterpret_cast<const char*>(element.bytes.data()), element.bytes.size()});
    return text;
  }
  const bool wide = element.is(MatlabType::kUtf32);
  const bool narrow = element.is(MatlabType::kInt8) || element.is(MatlabType::kUInt8);
  if (!wide && !narrow && !element.is(MatlabType::kUInt16) && !element.is(MatlabType::kUtf16)) {
    elements.fail("characters are of the unknown type " + std::to_string(element.type));
  }
  const std::size_t size = wide ? 4 : narrow ? 1 : 2;
  if (element.bytes.size() != static_cast<std::size_t>(count) * size) {
    elements.fail("there are " + std::to_string(element.bytes.size() / size) + " characters, " + std::to_string(count) +
                  " are needed");
  }
  for (std::size_t at = 0; at < element.bytes.size(); at += size) {
    const std::byte* const from = element.bytes.data() + at;
    const char32_t code = wide     ? load<std::uint32_t>(from, elements.big_endian())
                          : narrow ? std::to_integer<char32_t>(*from)
                                   : load<std::uint16_t>(from, elements.big_endian());
    if (code > 0x10FFFF) elements.fail("a character is no Unicode");
    text += code;
  }
  return text;
}

}  // namespace chiasm

// SPDX-License-Identifier: Apache-2.0
// What both emulated libraries share: the objects that live, the mutex, and the arithmetic.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace cuda_on_host {

std::recursive_mutex& library_mutex();
void note_misuse(std::string what);
void count_live_objects(int change);

// Objects of one kind by address. An address that was given back is not known again until another object gets it.
template <class T>
class Registry {
 public:
  T* add(std::shared_ptr<T> object) {
    T* address = object.get();
    live_[address] = std::move(object);
    count_live_objects(1);
    return address;
  }
  std::shared_ptr<T> find(const void* address) const {
    const auto found = live_.find(address);
    return found == live_.end() ? nullptr : found->second;
  }
  bool remove(const void* address) {
    if (live_.erase(address) == 0) return false;
    count_live_objects(-1);
    return true;
  }

 private:
  std::map<const void*, std::shared_ptr<T>> live_;
};

// Rounds to the 11 significant bits of TF32, to nearest, ties to even.
inline float round_to_tf32(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7f800000U) == 0x7f800000U) return value;
  bits += 0xfffU + (bits >> 13 & 1U);
  return std::bit_cast<float>(bits & ~0x1fffU);
}
inline float bfloat16_to_float(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}
inline std::uint16_t float_to_bfloat16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

inline float read_element(const void* data, bool bfloat16, std::int64_t index) {
  return bfloat16 ? bfloat16_to_float(static_cast<const std::uint16_t*>(data)[index])
                  : static_cast<const float*>(data)[index];
}
inline void write_element(void* data, bool bfloat16, std::int64_t index, float value) {
  if (bfloat16) {
    static_cast<std::uint16_t*>(data)[index] = float_to_bfloat16(value);
  } else {
    static_cast<float*>(data)[index] = value;
  }
}

}  // namespace cuda_on_host

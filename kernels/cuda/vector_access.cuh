// SPDX-License-Identifier: Apache-2.0
// Pack: neighbouring elements that a thread reads or writes as one access of up to 16 bytes where the address allows,
// and one by one where it does not or where the tensor ends.
#pragma once

#include <cstdint>

#include "kernels/host_device.h"

namespace chiasm {

template <class T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T value[kCount];
};
using Float4 = Pack<float, 4>;

// Elements [0, count) of `from`; those from `count` on are T{}. One access when `aligned` and count >= kCount.
// REQUIRES: `aligned` only where `from` is aligned to the size of the pack.
template <int kCount, class T>
CHIASM_HOST_DEVICE inline Pack<T, kCount> load_pack(const T* from, std::int64_t count, bool aligned) {
  if (aligned && count >= kCount) return *reinterpret_cast<const Pack<T, kCount>*>(from);
  Pack<T, kCount> pack;
  for (int k = 0; k < kCount; ++k) pack.value[k] = k < count ? from[k] : T{};
  return pack;
}

// Writes elements [0, count) of `to`, at most kCount. As above.
template <int kCount, class T>
CHIASM_HOST_DEVICE inline void store_pack(T* to, const Pack<T, kCount>& pack, std::int64_t count, bool aligned) {
  if (aligned && count >= kCount) {
    *reinterpret_cast<Pack<T, kCount>*>(to) = pack;
    return;
  }
  for (int k = 0; k < kCount; ++k) {
    if (k < count) to[k] = pack.value[k];
  }
}

}  // namespace chiasm

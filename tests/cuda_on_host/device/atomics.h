// SPDX-License-Identifier: Apache-2.0
// Atomic functions. One device thread runs at a time, and never loses the processor inside one of these.
#pragma once

#include <algorithm>
#include <type_traits>

namespace cuda_on_host {

template <class T, class New>
T replace(T* address, New next) {
  const T old = *address;
  *address = next(old);
  return old;
}

}  // namespace cuda_on_host

template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return cuda_on_host::replace(address, [=](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicSub(T* address, std::type_identity_t<T> value) {
  return cuda_on_host::replace(address, [=](T old) { return static_cast<T>(old - value); });
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has no atomicMax of a floating type");
  return cuda_on_host::replace(address, [=](T old) { return std::max(old, value); });
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has no atomicMin of a floating type");
  return cuda_on_host::replace(address, [=](T old) { return std::min(old, value); });
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return cuda_on_host::replace(address, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return cuda_on_host::replace(address, [=](T old) { return old == compare ? value : old; });
}
template <class T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  return cuda_on_host::replace(address, [=](T old) { return old | value; });
}
template <class T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
  return cuda_on_host::replace(address, [=](T old) { return old & value; });
}
template <class T>
T atomicXor(T* address, std::type_identity_t<T> value) {
  return cuda_on_host::replace(address, [=](T old) { return old ^ value; });
}
// Counts up to `limit` and then starts at zero again; down from `limit` to zero.
inline unsigned atomicInc(unsigned* address, unsigned limit) {
  return cuda_on_host::replace(address, [=](unsigned old) { return old >= limit ? 0u : old + 1; });
}
inline unsigned atomicDec(unsigned* address, unsigned limit) {
  return cuda_on_host::replace(address, [=](unsigned old) { return old == 0 || old > limit ? limit : old - 1; });
}

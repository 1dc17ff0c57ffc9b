// SPDX-License-Identifier: Apache-2.0
// CUDA's small vectors, with CUDA's alignments, their make_ functions, and dim3.
#pragma once

#include <cstddef>

#define CUDA_ON_HOST_VECTOR1(Name, T) \
  struct Name##1 {                    \
    T x;                              \
  };                                  \
  constexpr Name##1 make_##Name##1(T x) { return {x}; }
#define CUDA_ON_HOST_VECTOR2(Name, T, alignment)       \
  struct __attribute__((aligned(alignment))) Name##2 { \
    T x, y;                                            \
  };                                                   \
  constexpr Name##2 make_##Name##2(T x, T y) { return {x, y}; }
#define CUDA_ON_HOST_VECTOR3(Name, T) \
  struct Name##3 {                    \
    T x, y, z;                        \
  };                                  \
  constexpr Name##3 make_##Name##3(T x, T y, T z) { return {x, y, z}; }
#define CUDA_ON_HOST_VECTOR4(Name, T, alignment)       \
  struct __attribute__((aligned(alignment))) Name##4 { \
    T x, y, z, w;                                      \
  };                                                   \
  constexpr Name##4 make_##Name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
#define CUDA_ON_HOST_VECTORS(Name, T)          \
  CUDA_ON_HOST_VECTOR1(Name, T)                \
  CUDA_ON_HOST_VECTOR2(Name, T, 2 * sizeof(T)) \
  CUDA_ON_HOST_VECTOR3(Name, T)                \
  CUDA_ON_HOST_VECTOR4(Name, T, 4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16)

CUDA_ON_HOST_VECTORS(char, signed char)
CUDA_ON_HOST_VECTORS(uchar, unsigned char)
CUDA_ON_HOST_VECTORS(short, short)
CUDA_ON_HOST_VECTORS(ushort, unsigned short)
CUDA_ON_HOST_VECTORS(int, int)
CUDA_ON_HOST_VECTORS(uint, unsigned int)
CUDA_ON_HOST_VECTORS(long, long)
CUDA_ON_HOST_VECTORS(ulong, unsigned long)
CUDA_ON_HOST_VECTORS(longlong, long long)
CUDA_ON_HOST_VECTORS(ulonglong, unsigned long long)
CUDA_ON_HOST_VECTORS(float, float)
CUDA_ON_HOST_VECTORS(double, double)

#undef CUDA_ON_HOST_VECTORS
#undef CUDA_ON_HOST_VECTOR4
#undef CUDA_ON_HOST_VECTOR3
#undef CUDA_ON_HOST_VECTOR2
#undef CUDA_ON_HOST_VECTOR1

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};

// SPDX-License-Identifier: Apache-2.0
// The keywords that nvcc adds to C++, for a C++ compiler.
#pragma once

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __managed__ static_assert(false, "managed memory is not used")
// One block runs at a time, so that one copy serves every block.
#define __shared__ static
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))

// SPDX-License-Identifier: Apache-2.0
// CHIASM_HOST_DEVICE marks a function that CPU and CUDA kernels share.
#pragma once

#if defined(__CUDACC__)
#define CHIASM_HOST_DEVICE __host__ __device__
#else
#define CHIASM_HOST_DEVICE
#endif

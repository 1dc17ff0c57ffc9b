# SPDX-License-Identifier: Apache-2.0
# CHIASM_CUDA_ON_HOST: the .cu files are compiled as C++ against the emulation of CUDA in tests/cuda_on_host, so that
# tests of kernels and of whole programs "on CUDA" run on machines without a GPU. Never for use: it is slow.
set(CHIASM_WITH_CUDA ON)
add_subdirectory(tests/cuda_on_host)
set(CHIASM_CUDA_LIBRARIES chiasm_cuda_on_host)

# SPDX-License-Identifier: Apache-2.0
# The CUDA language and libraries, for builds with CHIASM_WITH_CUDA.
find_package(CUDAToolkit 12 REQUIRED)
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  set(CMAKE_CUDA_COMPILER "${CUDAToolkit_NVCC_EXECUTABLE}")  # found in /usr/local/cuda even when it is not on the PATH
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 75 80 90a)
endif()
enable_language(CUDA)
# CMake 3.25 does not know that nvcc 13 speaks C++20, and refuses the language level unless told the option.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  list(APPEND CMAKE_CUDA_COMPILE_FEATURES cuda_std_20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
find_package(ChiasmCudnn REQUIRED)
set(CHIASM_CUDA_LIBRARIES CUDA::cudart_static CUDA::cublasLt chiasm::cudnn)

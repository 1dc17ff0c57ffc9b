# SPDX-License-Identifier: Apache-2.0
# chiasm::cudnn: cuDNN 9, beside the CUDA Toolkit or on the usual paths. REQUIRES: find_package(CUDAToolkit) came before.
# Installed beside chiasmConfig.cmake.
find_library(CHIASM_CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS ${CUDAToolkit_LIBRARY_DIR})
find_path(CHIASM_CUDNN_INCLUDE NAMES cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
mark_as_advanced(CHIASM_CUDNN_LIBRARY CHIASM_CUDNN_INCLUDE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ChiasmCudnn REQUIRED_VARS CHIASM_CUDNN_LIBRARY CHIASM_CUDNN_INCLUDE
                                  REASON_FAILURE_MESSAGE "cuDNN 9, from https://developer.nvidia.com/cudnn")
if(ChiasmCudnn_FOUND AND NOT TARGET chiasm::cudnn)
  add_library(chiasm::cudnn INTERFACE IMPORTED)
  target_link_libraries(chiasm::cudnn INTERFACE "${CHIASM_CUDNN_LIBRARY}")
  target_include_directories(chiasm::cudnn SYSTEM INTERFACE "${CHIASM_CUDNN_INCLUDE}")
endif()

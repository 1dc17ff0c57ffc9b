# SPDX-License-Identifier: Apache-2.0
# chiasm::dnnl: oneDNN 2.x or 3.x, found by file, because Debian's package configuration asks for the OpenCL headers, which
# we do not use. Installed beside chiasmConfig.cmake, so that a project that links the static libraries finds it the same way.
find_library(CHIASM_DNNL_LIBRARY NAMES dnnl)
find_path(CHIASM_DNNL_INCLUDE NAMES oneapi/dnnl/dnnl.hpp dnnl.hpp)
mark_as_advanced(CHIASM_DNNL_LIBRARY CHIASM_DNNL_INCLUDE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ChiasmDnnl REQUIRED_VARS CHIASM_DNNL_LIBRARY CHIASM_DNNL_INCLUDE
                                  REASON_FAILURE_MESSAGE "oneDNN. On Debian: apt install libdnnl-dev")
if(ChiasmDnnl_FOUND AND NOT TARGET chiasm::dnnl)
  add_library(chiasm::dnnl INTERFACE IMPORTED)
  target_link_libraries(chiasm::dnnl INTERFACE "${CHIASM_DNNL_LIBRARY}")
  target_include_directories(chiasm::dnnl SYSTEM INTERFACE "${CHIASM_DNNL_INCLUDE}")
endif()

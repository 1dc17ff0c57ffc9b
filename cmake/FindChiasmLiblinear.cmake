# SPDX-License-Identifier: Apache-2.0
# chiasm::liblinear: liblinear 2.x, found by file, because it brings no package configuration. Installed beside
# chiasmConfig.cmake.
find_library(CHIASM_LIBLINEAR_LIBRARY NAMES linear)
find_path(CHIASM_LIBLINEAR_INCLUDE NAMES linear.h PATH_SUFFIXES liblinear)
mark_as_advanced(CHIASM_LIBLINEAR_LIBRARY CHIASM_LIBLINEAR_INCLUDE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ChiasmLiblinear REQUIRED_VARS CHIASM_LIBLINEAR_LIBRARY CHIASM_LIBLINEAR_INCLUDE
                                  REASON_FAILURE_MESSAGE "liblinear. On Debian: apt install liblinear-dev")
if(ChiasmLiblinear_FOUND AND NOT TARGET chiasm::liblinear)
  add_library(chiasm::liblinear INTERFACE IMPORTED)
  target_link_libraries(chiasm::liblinear INTERFACE "${CHIASM_LIBLINEAR_LIBRARY}")
  target_include_directories(chiasm::liblinear SYSTEM INTERFACE "${CHIASM_LIBLINEAR_INCLUDE}")
endif()

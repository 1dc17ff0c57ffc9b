# SPDX-License-Identifier: Apache-2.0
# chiasm::openblas: OpenBLAS built on OpenMP, which shares one team of threads with oneDNN and our own loops; the pthread
# build would bring a second team that fights for the same cores. Installed beside chiasmConfig.cmake.
find_library(CHIASM_OPENBLAS_LIBRARY NAMES openblas
             PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp NO_DEFAULT_PATH)
find_library(CHIASM_OPENBLAS_LIBRARY NAMES openblas)
find_path(CHIASM_OPENBLAS_INCLUDE NAMES cblas.h
          PATHS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp NO_DEFAULT_PATH)
find_path(CHIASM_OPENBLAS_INCLUDE NAMES cblas.h PATH_SUFFIXES openblas)
mark_as_advanced(CHIASM_OPENBLAS_LIBRARY CHIASM_OPENBLAS_INCLUDE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ChiasmOpenblas REQUIRED_VARS CHIASM_OPENBLAS_LIBRARY CHIASM_OPENBLAS_INCLUDE
                                  REASON_FAILURE_MESSAGE "OpenBLAS. On Debian: apt install libopenblas-openmp-dev")
if(ChiasmOpenblas_FOUND AND NOT TARGET chiasm::openblas)
  get_filename_component(chiasm_openblas_folder "${CHIASM_OPENBLAS_LIBRARY}" DIRECTORY)
  add_library(chiasm::openblas INTERFACE IMPORTED)
  target_link_libraries(chiasm::openblas INTERFACE "${CHIASM_OPENBLAS_LIBRARY}")
  target_include_directories(chiasm::openblas SYSTEM INTERFACE "${CHIASM_OPENBLAS_INCLUDE}")
  # Debian switches libopenblas.so.0 between builds by a system-wide alternative; the run path keeps to the one found here.
  target_link_options(chiasm::openblas INTERFACE "LINKER:-rpath,${chiasm_openblas_folder}")
  unset(chiasm_openblas_folder)
endif()

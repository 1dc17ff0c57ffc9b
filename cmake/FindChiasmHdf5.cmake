# SPDX-License-Identifier: Apache-2.0
# chiasm::hdf5: the HDF5 C library 1.10 or later, found by file: CMake's own module asks a compiler wrapper and the C
# language, and names absolute paths. Debian keeps builds for one process and for MPI side by side; ours is the first.
# Installed beside chiasmConfig.cmake.
find_library(CHIASM_HDF5_LIBRARY NAMES hdf5_serial hdf5 PATH_SUFFIXES hdf5/serial)
find_path(CHIASM_HDF5_INCLUDE NAMES hdf5.h PATH_SUFFIXES hdf5/serial)
mark_as_advanced(CHIASM_HDF5_LIBRARY CHIASM_HDF5_INCLUDE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ChiasmHdf5 REQUIRED_VARS CHIASM_HDF5_LIBRARY CHIASM_HDF5_INCLUDE
                                  REASON_FAILURE_MESSAGE "HDF5. On Debian: apt install libhdf5-dev")
if(ChiasmHdf5_FOUND AND NOT TARGET chiasm::hdf5)
  add_library(chiasm::hdf5 INTERFACE IMPORTED)
  target_link_libraries(chiasm::hdf5 INTERFACE "${CHIASM_HDF5_LIBRARY}")
  target_include_directories(chiasm::hdf5 SYSTEM INTERFACE "${CHIASM_HDF5_INCLUDE}")
endif()

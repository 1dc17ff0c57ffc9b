# SPDX-License-Identifier: Apache-2.0
# Every library chiasm stands on, found once. See tools/packages.sh for the Debian packages.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(ZLIB REQUIRED)

# oneDNN 2.x or 3.x, found by file: Debian's package configuration asks for the OpenCL headers, which we do not use.
find_library(CHIASM_DNNL_LIBRARY NAMES dnnl REQUIRED)
find_path(CHIASM_DNNL_INCLUDE NAMES oneapi/dnnl/dnnl.hpp dnnl.hpp REQUIRED)
add_library(chiasm_dnnl INTERFACE)
target_link_libraries(chiasm_dnnl INTERFACE ${CHIASM_DNNL_LIBRARY})
target_include_directories(chiasm_dnnl SYSTEM INTERFACE $<BUILD_INTERFACE:${CHIASM_DNNL_INCLUDE}>)

# OpenBLAS built on OpenMP shares one team of threads with oneDNN and our own loops; the pthread build would bring a second
# team that fights for the same cores.
find_library(CHIASM_OPENBLAS_LIBRARY NAMES openblas
             PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp NO_DEFAULT_PATH)
find_library(CHIASM_OPENBLAS_LIBRARY NAMES openblas REQUIRED)
get_filename_component(openblas_folder "${CHIASM_OPENBLAS_LIBRARY}" DIRECTORY)
find_path(CHIASM_OPENBLAS_INCLUDE NAMES cblas.h
          PATHS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp PATH_SUFFIXES openblas REQUIRED)
add_library(chiasm_openblas INTERFACE)
target_link_libraries(chiasm_openblas INTERFACE ${CHIASM_OPENBLAS_LIBRARY})
target_include_directories(chiasm_openblas SYSTEM INTERFACE $<BUILD_INTERFACE:${CHIASM_OPENBLAS_INCLUDE}>)
target_link_options(chiasm_openblas INTERFACE $<BUILD_INTERFACE:-Wl,-rpath,${openblas_folder}>)

# SPDX-License-Identifier: Apache-2.0
# Every library chiasm stands on, found once. See tools/packages.sh for the Debian packages. What a static library of ours
# needs at link time is also found by cmake/chiasmConfig.cmake.in: a new one goes there too.
list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")

# Headers only; they end up inside our object files.
find_package(nlohmann_json REQUIRED)
find_package(Eigen3 3.3 REQUIRED NO_MODULE)

# Linked. Not fmt::fmt-header-only: a source that formats would compile the library, for a second and a half.
find_package(fmt REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(ChiasmDnnl REQUIRED)
find_package(ChiasmOpenblas REQUIRED)
find_package(ChiasmHdf5 REQUIRED)
find_package(ChiasmLiblinear REQUIRED)
if(CHIASM_CUDA_ON_HOST)
  include(cmake/cuda_on_host.cmake)
elseif(CHIASM_WITH_CUDA)
  include(cmake/cuda.cmake)
endif()

# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: a tree that can be moved. Headers are installed under include/chiasm, so that users write
# #include <engine/graph.h>; headers of kernels/vendor stay inside, because they name oneDNN and OpenBLAS types.
if(NOT CHIASM_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)
if(CHIASM_CUDA_ON_HOST)
  # tests/embedding/run.sh installs what is built, to see that an installed tree works.
  install(CODE "if(NOT DEFINED ENV{CHIASM_INSTALL_FOR_TESTS})
  message(FATAL_ERROR \"the CUDA device of this build is emulated, for tests; install a build of another preset\")
endif()")
  install(TARGETS chiasm_cuda_on_host EXPORT chiasmTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
set(CHIASM_INSTALL_CMAKE ${CMAKE_INSTALL_LIBDIR}/cmake/chiasm)
set(CHIASM_INSTALL_RECIPES ${CMAKE_INSTALL_DATADIR}/chiasm/recipes)

install(TARGETS ${CHIASM_LIBRARIES} EXPORT chiasmTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT chiasmTargets NAMESPACE chiasm:: DESTINATION ${CHIASM_INSTALL_CMAKE})
foreach(folder ${CHIASM_FOLDERS})
  cmake_path(GET folder PARENT_PATH parent)
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/chiasm/${parent}
          FILES_MATCHING PATTERN "*.h" PATTERN vendor EXCLUDE)
endforeach()
install(DIRECTORY models/recipes/ DESTINATION ${CHIASM_INSTALL_RECIPES} OPTIONAL FILES_MATCHING PATTERN "*.json")
install(DIRECTORY learning_rules/presets DESTINATION ${CHIASM_INSTALL_RECIPES} FILES_MATCHING PATTERN "*.json")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CHIASM_NEEDS_CUDA OFF)
if(CHIASM_WITH_CUDA AND NOT CHIASM_CUDA_ON_HOST)
  set(CHIASM_NEEDS_CUDA ON)
endif()
configure_package_config_file(cmake/chiasmConfig.cmake.in ${PROJECT_BINARY_DIR}/chiasmConfig.cmake
                              INSTALL_DESTINATION ${CHIASM_INSTALL_CMAKE} PATH_VARS CHIASM_INSTALL_RECIPES)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/chiasmConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/chiasmConfig.cmake ${PROJECT_BINARY_DIR}/chiasmConfigVersion.cmake
              cmake/FindChiasmDnnl.cmake cmake/FindChiasmHdf5.cmake cmake/FindChiasmLiblinear.cmake
              cmake/FindChiasmOpenblas.cmake DESTINATION ${CHIASM_INSTALL_CMAKE})
if(CHIASM_NEEDS_CUDA)
  install(FILES cmake/FindChiasmCudnn.cmake DESTINATION ${CHIASM_INSTALL_CMAKE})
endif()

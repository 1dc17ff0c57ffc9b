# SPDX-License-Identifier: Apache-2.0
# Compiles through ccache where it is installed, unless the caller chose a launcher.
find_program(CHIASM_CCACHE ccache)
mark_as_advanced(CHIASM_CCACHE)
if(CHIASM_CCACHE)
  foreach(language CXX CUDA)
    if(NOT DEFINED CMAKE_${language}_COMPILER_LAUNCHER)
      set(CMAKE_${language}_COMPILER_LAUNCHER "${CHIASM_CCACHE}")
    endif()
  endforeach()
endif()

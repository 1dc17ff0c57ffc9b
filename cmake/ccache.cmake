# SPDX-License-Identifier: Apache-2.0
# Compiles through ccache where it is installed, unless the caller chose a launcher. ccache keeps sources that use a
# precompiled header only when it is told that neither macros defined on the command line nor the date are in it.
find_program(CHIASM_CCACHE ccache)
find_program(CHIASM_ENV env)
mark_as_advanced(CHIASM_CCACHE CHIASM_ENV)
if(CHIASM_CCACHE AND CHIASM_ENV)
  foreach(language CXX CUDA)
    if(NOT DEFINED CMAKE_${language}_COMPILER_LAUNCHER)
      set(CMAKE_${language}_COMPILER_LAUNCHER
          "${CHIASM_ENV}" CCACHE_SLOPPINESS=pch_defines,time_macros "${CHIASM_CCACHE}")
    endif()
  endforeach()
endif()

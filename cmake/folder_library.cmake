# SPDX-License-Identifier: Apache-2.0
# chiasm_folder_library(NAME FOLDERS folders... OPTIMISE patterns... LINK_PUBLIC targets... LINK_PRIVATE targets...
# HEADERS_PRIVATE targets...): the library chiasm_NAME, made of every source below FOLDERS (not given: NAME). Sources are globbed so that a new op, cell or metric edits no
# list:
#   *.cpp               always
#   *.cu                with CHIASM_WITH_CUDA
#   *_without_cuda.cpp  without it: what stands in for a .cu of the same header
# OPTIMISE says which sources a release compiles with -O3: those with loops over numbers, by patterns of paths below NAME.
# All others take -O1, which compiles in two thirds of the time: what they do, they do once, or once for each node of a graph.
# HEADERS_PRIVATE names header-only libraries, which whoever links chiasm does not need.
add_library(chiasm_all INTERFACE)
add_library(chiasm::chiasm ALIAS chiasm_all)
set_target_properties(chiasm_all PROPERTIES EXPORT_NAME chiasm)
set(CHIASM_LIBRARIES chiasm_all)
set(CHIASM_FOLDERS)

# Compiles sources with -O3 in a release, and with -O1 for debugging, so that the reference loops do not take minutes under
# sanitizers. Of several -O the last counts, and options of a source come last.
function(chiasm_optimise folder)
  foreach(pattern ${ARGN})
    file(GLOB_RECURSE chosen CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/${pattern}")
    if(NOT chosen)
      message(FATAL_ERROR "${folder}/ is to be optimised where it has ${pattern}, and has none")
    endif()
    set_property(SOURCE ${chosen} APPEND PROPERTY COMPILE_OPTIONS "$<$<CONFIG:Release>:-O3>$<$<CONFIG:Debug>:-O1>")
  endforeach()
endfunction()

function(chiasm_folder_library folder)
  cmake_parse_arguments(ARG "" "" "FOLDERS;OPTIMISE;LINK_PUBLIC;LINK_PRIVATE;HEADERS_PRIVATE" ${ARGN})
  if(NOT ARG_FOLDERS)
    set(ARG_FOLDERS ${folder})
  endif()
  list(TRANSFORM ARG_FOLDERS REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/\\1/*.cpp" OUTPUT_VARIABLE patterns)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${patterns})
  if(CHIASM_WITH_CUDA)
    list(TRANSFORM ARG_FOLDERS REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/\\1/*.cu" OUTPUT_VARIABLE patterns)
    file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS ${patterns})
    list(FILTER sources EXCLUDE REGEX "_without_cuda\\.cpp$")
    list(APPEND sources ${cuda_sources})
    # These round every product and every sum: an element has the same bits whichever kernel computes it, fused with
    # others or alone. They wait for memory, not for arithmetic.
    set(rounded_sources ${cuda_sources})
    list(FILTER rounded_sources INCLUDE REGEX "/(elementwise|optimizer)/")
    if(CHIASM_CUDA_ON_HOST)
      # "#pragma unroll" is for nvcc.
      set_source_files_properties(${cuda_sources} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS -Wno-unknown-pragmas)
      set_property(SOURCE ${rounded_sources} APPEND PROPERTY COMPILE_OPTIONS -ffp-contract=off)
    else()
      set_source_files_properties(${rounded_sources} PROPERTIES COMPILE_OPTIONS -fmad=false)
    endif()
  endif()
  set(target chiasm_${folder})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    list(TRANSFORM ARG_HEADERS_PRIVATE REPLACE "(.+)" "$<BUILD_INTERFACE:\\1>")
    target_link_libraries(${target} PUBLIC ${ARG_LINK_PUBLIC} PRIVATE ${ARG_LINK_PRIVATE} ${ARG_HEADERS_PRIVATE})
    if(cuda_sources)
      target_link_libraries(${target} PRIVATE ${CHIASM_CUDA_LIBRARIES})
      # Constant expressions of the C++ library, such as std::bit_cast, are called by kernels.
      target_compile_options(${target} PRIVATE
        "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall;--expt-relaxed-constexpr>")
      target_compile_definitions(${target} PUBLIC CHIASM_WITH_CUDA)
    endif()
    # -Wno-restrict: GCC 12 warns falsely where std::string joins a literal.
    # These change no result: nobody reads errno or the floating-point exception flags. Without them loops with a square
    # root or a comparison do not vectorise.
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-fno-math-errno;-fno-trapping-math>"
      "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wno-restrict;$<$<BOOL:${CHIASM_WARNINGS_AS_ERRORS}>:-Werror>>"
      "$<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-O1>")
    if(ARG_OPTIMISE)
      chiasm_optimise(${folder} ${ARG_OPTIMISE})
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
    target_link_libraries(${target} INTERFACE ${ARG_LINK_PUBLIC})
  endif()
  add_library(chiasm::${folder} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${folder})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(${target} ${scope} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/chiasm>)
  target_link_libraries(chiasm_all INTERFACE ${target})
  set(CHIASM_LIBRARIES ${CHIASM_LIBRARIES} ${target} PARENT_SCOPE)
  set(CHIASM_FOLDERS ${CHIASM_FOLDERS} ${ARG_FOLDERS} PARENT_SCOPE)
endfunction()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 11)
  message(FATAL_ERROR "${CMAKE_CXX_COMPILER} is g++ ${CMAKE_CXX_COMPILER_VERSION}, and C++20 needs 11 or newer. Load a module (module avail gcc), or "
    "install gcc-toolset-13 and open its shell (RHEL 8 and 9: scl enable gcc-toolset-13 bash), or gcc13-c++ (SLES 15) or g++-12 and "
    "set CC and CXX; then configure in an empty build folder.")
endif()

# Warnings are for our own code only: link facemae_warnings PRIVATE.
add_library(facemae_warnings INTERFACE)
target_compile_options(facemae_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wno-missing-field-initializers)  # designated initialisers leave defaults in place on purpose
# Errors with the compilers that this tree is kept clean with. Others warn of other things, rightly or not (g++ 13 of
# reads beyond the end in its own headers), and nobody who only wants to build it should meet that.
set(known_compiler OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\."
    OR CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^14\\.")
  set(known_compiler ON)
endif()
option(FACEMAE_WERROR "Warnings are errors; ON by default for g++ 12 and clang 14" ${known_compiler})
if(FACEMAE_WERROR)
  target_compile_options(facemae_warnings INTERFACE -Werror)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(facemae_warnings INTERFACE -Wno-array-bounds)  # the false ones, dozens of them
endif()

add_library(facemae_sanitize INTERFACE)
if(FACEMAE_SANITIZE)
  # g++ 12 takes what the sanitizers add to std::optional and std::regex for reads of uninitialized values.
  target_compile_options(facemae_sanitize INTERFACE -fsanitize=${FACEMAE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(facemae_sanitize INTERFACE -fsanitize=${FACEMAE_SANITIZE})
endif()

if(FACEMAE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "libFuzzer belongs to clang: configure with CXX=clang++, as scripts/build.sh --preset fuzz does.")
  endif()
  add_compile_options(-include ${PROJECT_SOURCE_DIR}/scripts/source_location_for_clang.h)
endif()

find_program(FACEMAE_CCACHE ccache)
if(FACEMAE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers and ccache get along only with these two settings.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${FACEMAE_CCACHE})
endif()

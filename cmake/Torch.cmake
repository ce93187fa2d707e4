# Imported targets for LibTorch, made by hand: the package's own TorchConfig.cmake wants a CUDA toolkit even where only
# the CPU part is used. Looked for in TORCH_DIR (a folder with include/ and lib/), CMAKE_PREFIX_PATH, then .deps/.
set(TORCH_DIR "" CACHE PATH "LibTorch: the folder that holds include/ and lib/ (of a wheel: .../torch)")
if(TORCH_DIR)
  if(NOT EXISTS ${TORCH_DIR}/include/torch/csrc/api/include/torch/torch.h)
    message(FATAL_ERROR "TORCH_DIR=${TORCH_DIR} holds no include/torch/csrc/api/include/torch/torch.h. For a wheel it is the folder "
      "that  python3 -c 'import torch; print(torch.__path__[0])'  prints.")
  endif()
  set(FACEMAE_TORCH_INCLUDE ${TORCH_DIR}/include CACHE PATH "LibTorch's headers" FORCE)
endif()
find_path(FACEMAE_TORCH_INCLUDE torch/csrc/api/include/torch/torch.h
  PATHS ${PROJECT_SOURCE_DIR}/.deps/wheels/torch/include PATH_SUFFIXES include)
if(NOT FACEMAE_TORCH_INCLUDE)
  message(FATAL_ERROR "LibTorch is missing. Run scripts/setup.sh, or pass -DTORCH_DIR=<folder of torch with include/ and lib/>, "
    "or add it to CMAKE_PREFIX_PATH.")
endif()
get_filename_component(FACEMAE_TORCH_HOME ${FACEMAE_TORCH_INCLUDE} DIRECTORY)
set(torch_lib ${FACEMAE_TORCH_HOME}/lib)
file(STRINGS ${FACEMAE_TORCH_INCLUDE}/torch/csrc/api/include/torch/version.h torch_version_lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
if(NOT torch_version_lines)
  file(STRINGS ${FACEMAE_TORCH_INCLUDE}/torch/headeronly/version.h torch_version_lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
endif()
string(REGEX REPLACE "[^0-9;]" "" FACEMAE_TORCH_VERSION "${torch_version_lines}")
string(REPLACE ";" "." FACEMAE_TORCH_VERSION "${FACEMAE_TORCH_VERSION}")
include(TorchAbi)
message(STATUS "LibTorch ${FACEMAE_TORCH_VERSION}: ${FACEMAE_TORCH_HOME}")

# LibTorch carries old protobuf headers: -idirafter keeps the system's in front of them.
add_library(facemae_torch INTERFACE)
target_compile_options(facemae_torch INTERFACE
  "SHELL:-idirafter ${FACEMAE_TORCH_INCLUDE}" "SHELL:-idirafter ${FACEMAE_TORCH_INCLUDE}/torch/csrc/api/include")
target_link_libraries(facemae_torch INTERFACE ${torch_lib}/libtorch_cpu.so ${torch_lib}/libc10.so)
# A wheel's libraries find each other at run time; the linker needs to be told where they are.
file(GLOB torch_neighbours ${FACEMAE_TORCH_HOME}/../nvidia/*/lib)
list(TRANSFORM torch_neighbours PREPEND "-Wl,-rpath-link," OUTPUT_VARIABLE torch_rpath_link)
target_link_options(facemae_torch INTERFACE ${torch_rpath_link})
set(CMAKE_BUILD_RPATH ${torch_lib})
set(CMAKE_INSTALL_RPATH ${torch_lib})
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON) # what modules brought, MPI and HDF5 for example, lies in folders of its own

include(Nccl)

# One precompiled torch/torch.h, shared by all that see LibTorch (40 s once, 10 s saved per file).
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/torch_pch.cpp CONTENT "// Holds the precompiled header.\n") # kept when it is there
add_library(facemae_torch_pch OBJECT ${PROJECT_BINARY_DIR}/torch_pch.cpp)
target_link_libraries(facemae_torch_pch PRIVATE facemae_torch facemae_sanitize facemae_warnings)
target_precompile_headers(facemae_torch_pch PRIVATE <torch/torch.h>)

function(facemae_uses_torch target visibility)
  target_link_libraries(${target} ${visibility} facemae_torch)
  target_precompile_headers(${target} REUSE_FROM facemae_torch_pch)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")  # position-independent as the precompiled header is, which -fPIE would not match
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

# The CUDA and NCCL back end needs headers only (our code has no kernels): those of the wheels, or of a CUDA toolkit.
# facemae_nccl exists when it is built; FACEMAE_HAS_NCCL says so.
set(FACEMAE_HAS_NCCL OFF)
set(torch_site ${FACEMAE_TORCH_HOME}/..)

# facemae_cuda_part(<variable> <path|library> <names> <where from> <folder of the wheels>...): looks beside LibTorch
# first, then in a toolkit or where conda has its parts (targets/); what is not found joins cuda_lacking, with the package that brings it.
set(cuda_lacking "")
function(facemae_cuda_part variable kind names package)
  list(TRANSFORM ARGN PREPEND ${torch_site}/nvidia/ OUTPUT_VARIABLE hints)
  if(kind STREQUAL "library")
    find_library(${variable} NAMES ${names} HINTS ${hints} PATHS /usr/local/cuda/lib64 $ENV{CUDA_HOME}/lib64 $ENV{NCCL_HOME}/lib
      PATH_SUFFIXES targets/x86_64-linux/lib targets/sbsa-linux/lib)
  else()
    find_path(${variable} ${names} HINTS ${hints}
      PATHS /usr/local/cuda/include /usr/local/cuda/include/cccl $ENV{CUDA_HOME}/include $ENV{CUDA_HOME}/include/cccl $ENV{NCCL_HOME}/include
      PATH_SUFFIXES targets/x86_64-linux/include targets/sbsa-linux/include)
  endif()
  if(NOT ${variable})
    list(GET names 0 first)
    set(cuda_lacking ${cuda_lacking} "${first} (of the PyPI package ${package}, or -D${variable}=...)" PARENT_SCOPE)
  endif()
endfunction()

if(NOT FACEMAE_CUDA STREQUAL "OFF")
  # What a toolkit has in one folder the wheels of CUDA 13 have in four packages.
  facemae_cuda_part(FACEMAE_CUDA_INCLUDE path cuda_runtime_api.h nvidia-cuda-runtime cu13/include cuda_runtime/include)
  facemae_cuda_part(FACEMAE_CUDA_CRT_INCLUDE path crt/host_config.h nvidia-cuda-crt cu13/include cuda_runtime/include cuda_nvcc/include)
  facemae_cuda_part(FACEMAE_CUDA_CCCL_INCLUDE path nv/target nvidia-cuda-cccl cu13/include cu13/include/cccl cuda_cccl/include)
  facemae_cuda_part(FACEMAE_NCCL_INCLUDE path nccl.h nvidia-nccl nccl/include)
  # The library that LibTorch itself loads, no other: two NCCLs in one process crash.
  facemae_cuda_part(FACEMAE_NCCL_LIBRARY library "libnccl.so.2;nccl" nvidia-nccl nccl/lib)
  facemae_cuda_part(FACEMAE_CUDART_LIBRARY library "libcudart.so.13;libcudart.so.12;cudart" nvidia-cuda-runtime cu13/lib cuda_runtime/lib)
  if(NOT EXISTS ${torch_lib}/libc10_cuda.so)
    list(APPEND cuda_lacking "libc10_cuda.so (this LibTorch, ${FACEMAE_TORCH_HOME}, was made without CUDA)")
  endif()
  if(NOT cuda_lacking)
    set(FACEMAE_HAS_NCCL ON)
  else()
    list(JOIN cuda_lacking "\n  " cuda_lacking_text)
    # Where NCCL lies beside LibTorch somebody wants GPUs: a program that quietly has none would be found out late.
    if(FACEMAE_CUDA STREQUAL "ON" OR EXISTS ${torch_site}/nvidia/nccl/lib)
      message(FATAL_ERROR "The CUDA and NCCL back end lacks what is neither beside LibTorch (${torch_site}/nvidia) nor in a CUDA toolkit:\n  ${cuda_lacking_text}\n"
        "scripts/setup.sh --cuda fetches it all, scripts/setup.sh --nccl-headers what compiling needs; of another LibTorch "
        "install the packages of its CUDA version, or load a toolkit. -DFACEMAE_CUDA=OFF builds for CPUs alone.")
    endif()
    message(STATUS "CUDA and NCCL back end left out; it lacks\n  ${cuda_lacking_text}")
  endif()
endif()
message(STATUS "CUDA and NCCL back end: ${FACEMAE_HAS_NCCL}")

if(FACEMAE_HAS_NCCL)
  add_library(facemae_nccl INTERFACE)
  target_include_directories(facemae_nccl SYSTEM INTERFACE ${FACEMAE_NCCL_INCLUDE} ${FACEMAE_CUDA_INCLUDE}
    ${FACEMAE_CUDA_CRT_INCLUDE} ${FACEMAE_CUDA_CCCL_INCLUDE})
  target_link_libraries(facemae_nccl INTERFACE ${torch_lib}/libc10_cuda.so ${FACEMAE_NCCL_LIBRARY} ${FACEMAE_CUDART_LIBRARY})
  # An installed program finds them there, too: the paths that LibTorch's own libraries know serve only those.
  foreach(library ${FACEMAE_NCCL_LIBRARY} ${FACEMAE_CUDART_LIBRARY})
    get_filename_component(folder ${library} DIRECTORY)
    list(APPEND CMAKE_INSTALL_RPATH ${folder})
  endforeach()
  list(REMOVE_DUPLICATES CMAKE_INSTALL_RPATH)
endif()

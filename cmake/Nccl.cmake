# The CUDA and NCCL back end needs headers only (our code has no kernels): those of the wheels, or of a CUDA toolkit.
# facemae_nccl exists when it is built; FACEMAE_HAS_NCCL says so.
set(FACEMAE_HAS_NCCL OFF)
set(torch_site ${FACEMAE_TORCH_HOME}/..)
if(NOT FACEMAE_CUDA STREQUAL "OFF")
  find_path(FACEMAE_CUDA_INCLUDE cuda_runtime_api.h
    HINTS ${torch_site}/nvidia/cu13/include ${torch_site}/nvidia/cuda_runtime/include
    PATHS /usr/local/cuda/include $ENV{CUDA_HOME}/include)
  find_path(FACEMAE_NCCL_INCLUDE nccl.h
    HINTS ${torch_site}/nvidia/nccl/include PATHS /usr/local/cuda/include $ENV{NCCL_HOME}/include)
  # The library that LibTorch itself loads, no other: two NCCLs in one process crash.
  find_library(FACEMAE_NCCL_LIBRARY NAMES libnccl.so.2 nccl
    HINTS ${torch_site}/nvidia/nccl/lib PATHS /usr/local/cuda/lib64 $ENV{NCCL_HOME}/lib)
  find_library(FACEMAE_CUDART_LIBRARY NAMES libcudart.so.13 libcudart.so.12 cudart
    HINTS ${torch_site}/nvidia/cu13/lib ${torch_site}/nvidia/cuda_runtime/lib PATHS /usr/local/cuda/lib64)
  if(FACEMAE_CUDA_INCLUDE AND FACEMAE_NCCL_INCLUDE AND FACEMAE_NCCL_LIBRARY AND FACEMAE_CUDART_LIBRARY
      AND EXISTS ${torch_lib}/libc10_cuda.so)
    set(FACEMAE_HAS_NCCL ON)
  elseif(FACEMAE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "FACEMAE_CUDA=ON, but CUDA or NCCL was not found beside LibTorch (${torch_site}/nvidia). "
      "Run scripts/setup.sh --cuda, or pass -DFACEMAE_NCCL_INCLUDE, -DFACEMAE_NCCL_LIBRARY, -DFACEMAE_CUDA_INCLUDE, -DFACEMAE_CUDART_LIBRARY.")
  endif()
endif()
message(STATUS "CUDA and NCCL back end: ${FACEMAE_HAS_NCCL}")
if(FACEMAE_HAS_NCCL)
  add_library(facemae_nccl INTERFACE)
  target_include_directories(facemae_nccl SYSTEM INTERFACE ${FACEMAE_NCCL_INCLUDE} ${FACEMAE_CUDA_INCLUDE})
  target_link_libraries(facemae_nccl INTERFACE ${torch_lib}/libc10_cuda.so ${FACEMAE_NCCL_LIBRARY} ${FACEMAE_CUDART_LIBRARY})
endif()

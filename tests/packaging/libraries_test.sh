#!/usr/bin/env bash
# What CMake makes of libraries that sites have: MPI of any make, HDF5 of an MPI, protobuf with abseil, old LibTorch, NCCL, old compilers.
# The libraries are stand-ins of a function or two; where Debian's parallel HDF5 is installed, it is tried, too.
set -uo pipefail
source=${FACEMAE_SOURCE:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0
miss() { echo "FAILED: $1"; head -c 2000 "$work/said"; echo; faults=$((faults + 1)); }
# configure PROJECT OPTION...: what CMake says goes into said, with its line breaks taken out
configure() {
  cmake -G Ninja -S "$work/$1" -B "$work/$1/build" "${@:2}" >"$work/lines" 2>&1
  local code=$?
  tr '\n' ' ' <"$work/lines" | tr -s ' ' >"$work/said"
  return $code
}
accepts() { # accepts WHAT TEXT PROJECT OPTION...
  { configure "${@:3}" && grep -qE -- "$2" "$work/said"; } || miss "$1 is accepted ($2)"
}
refuses() { # refuses WHAT TEXT PROJECT OPTION...
  if configure "${@:3}" || ! grep -qE -- "$2" "$work/said"; then miss "$1 is refused ($2)"; fi
}
project() { # project NAME: its CMakeLists.txt, after the beginning that all have
  mkdir -p "$work/$1"
  { printf '%s\n' "cmake_minimum_required(VERSION 3.25)" "project($1 LANGUAGES C CXX)" "list(APPEND CMAKE_MODULE_PATH $source/cmake)" && cat; } \
    >"$work/$1/CMakeLists.txt"
}
shared() { # shared FILE SONAME [OPTION...]: a library of the C program on stdin
  mkdir -p "$(dirname "$1")"
  cc -shared -fPIC -o "$1" -Wl,-soname,"$2" -x c - -x none "${@:3}" 2>"$work/said" || miss "a stand-in can be made"
}

# --- MPI ----------------------------------------------------------------------------------------------------------------
project mpi <<'T'
include(Mpi)
message(STATUS "started by ${MPIEXEC_EXECUTABLE}")
T
accepts "the MPI of this machine, in its own words" 'MPI: (Open MPI v|MPICH Version: |Intel\(R\) MPI Library |MPI VERSION : CRAY )[0-9]' mpi
for make in openmpi mpich; do # what Debian has of both
  command -v mpicc.$make >/dev/null || continue
  rm -rf "$work/mpi/build"
  accepts "mpicc.$make with its own launcher" "MPI: .*started by [^ ]*/mpiexec.$make " mpi -DMPI_C_COMPILER=mpicc.$make
done
for make in openmpi mpich; do # as a module or a prefix of one's own has it
  command -v mpicc.$make >/dev/null || continue
  mkdir -p "$work/of-$make/bin"
  for name in mpicc mpiexec; do ln -s "$(command -v $name.$make)" "$work/of-$make/bin/$name"; done
  maker=MPICH
  if [ $make = openmpi ]; then maker="Open MPI"; fi
  rm -rf "$work/mpi/build"
  accepts "-DMPI_HOME of $make" "MPI: $maker.*started by $work/of-$make/bin/mpiexec " mpi -DMPI_HOME="$work/of-$make"
  rm -rf "$work/mpi/build"
  MPI_HOME=$work/of-$make accepts "MPI_HOME of $make in the environment" "MPI: $maker.*started by $work/of-$make/bin/mpiexec " mpi
done
if type mpicc.openmpi mpicc.mpich >/dev/null; then
  accepts "the launcher of another MPI, with a warning" 'mpiexec.openmpi is of Open MPI, but the library is of MPICH' mpi \
    -DMPI_C_COMPILER=mpicc.mpich -DMPIEXEC_EXECUTABLE="$(command -v mpiexec.openmpi)"
fi

# --- HDF5 ---------------------------------------------------------------------------------------------------------------
project hdf5 <<'T'
find_package(MPI REQUIRED COMPONENTS C)
add_library(facemae_mpi INTERFACE)
include(Hdf5)
T
hdf5() { # hdf5 NAME HEADER LIBRARY PARALLEL [OPTION...]: a stand-in of these versions, whose library links what is named
  local h l
  IFS=. read -ra h <<<"$2"
  IFS=. read -ra l <<<"$3"
  mkdir -p "$work/$1/include"
  printf '#define H5_HAVE_PARALLEL %s\n#define H5_VERSION "%s"\n' "$4" "$2" | sed '/PARALLEL 0/d' >"$work/$1/include/H5pubconf.h"
  printf '#include "H5pubconf.h"\n#define H5_VERS_MAJOR %s\n#define H5_VERS_MINOR %s\n#define H5_VERS_RELEASE %s\n%s\n' "${h[@]}" \
    'int H5get_libversion(unsigned*, unsigned*, unsigned*);' >"$work/$1/include/hdf5.h"
  shared "$work/$1/lib/libhdf5.so" libhdf5.so "${@:5}" <<T
int of_mpi(void);
int H5get_libversion(unsigned* a, unsigned* b, unsigned* c) { *a = ${l[0]}; *b = ${l[1]}; *c = ${l[2]}; return 0; }
T
}
with() { printf -- '-U\nHDF5_*\n-U\nFACEMAE_HDF5*\n-DHDF5_ROOT=%s\n' "$1"; } # with FOLDER: options that look for HDF5 anew
try() { # try VERB WHAT TEXT FOLDER [OPTION...]
  local options
  mapfile -t options < <(with "$4")
  "$1" "$2" "$3" hdf5 "${options[@]}" "${@:5}"
}
hdf5 serial 1.10.8 1.10.8 0
try accepts "a serial HDF5" 'HDF5 1\.10\.8, serial' "$work/serial"
mpi=$(sed -n 's/^MPI_[a-z_]*mpi[a-z]*_LIBRARY:[A-Z]*=//p' "$work/hdf5/build/CMakeCache.txt" | grep -m1 'libmpi')
other=libmpich.so.12
if readelf -d "$mpi" | grep -q 'SONAME.*libmpich'; then other=libmpi.so.40; fi
shared "$work/other/lib/$other" "$other" <<<'int of_mpi(void) { return 1; }'
hdf5 same 1.14.5 1.14.5 1 -Wl,--no-as-needed "$mpi"
try accepts "a parallel HDF5 of the same MPI" 'HDF5 1\.14\.5, parallel, of the same MPI' "$work/same"
hdf5 others 1.14.5 1.14.5 1 -Wl,--no-as-needed "$work/other/lib/$other" -Wl,-rpath,"$work/other/lib"
try refuses "a parallel HDF5 of another MPI" "belongs to another MPI than the program's.*$other" "$work/others"
hdf5 old 1.10.1 1.10.1 0
try refuses "HDF5 before 1.10.2" 'HDF5 1\.10\.1 .* is too old: 1\.10\.2' "$work/old"
hdf5 mixed 1.12.0 1.10.8 0
try refuses "a header of another version than the library" 'is 1\.12\.0 and the library is 1\.10\.8' "$work/mixed"
for folder in /usr/lib/*/hdf5/openmpi /usr/lib/*/hdf5/mpich; do
  if [ ! -e "$folder/libhdf5.so" ]; then continue; fi
  if [[ $(readelf -d "$mpi") == *"SONAME"*"libmpi.so.40"* ]] && [[ $folder == */openmpi ]]; then
    try accepts "Debian's of Open MPI" 'parallel, of the same MPI' "$folder"
  elif [[ $folder == */mpich ]]; then
    try refuses "Debian's of MPICH" 'MPICH or one of its kin' "$folder"
  fi
done

# --- protobuf 22 and newer: a package that brings files for CMake, found before all else --------------------------------------
mkdir -p "$work/prefix/lib/cmake/protobuf" "$work/prefix/bin"
cat >"$work/prefix/lib/cmake/protobuf/protobuf-config.cmake" <<'T'
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
add_library(absl::strings INTERFACE IMPORTED)
add_library(protobuf::libprotobuf INTERFACE IMPORTED)
target_link_libraries(protobuf::libprotobuf INTERFACE absl::strings)
add_executable(protobuf::protoc IMPORTED)
set_target_properties(protobuf::protoc PROPERTIES IMPORTED_LOCATION ${root}/bin/protoc)
T
printf 'set(PACKAGE_VERSION 28.0)\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\n' >"$work/prefix/lib/cmake/protobuf/protobuf-config-version.cmake"
project dependencies <<'T'
include(Dependencies)
get_target_property(linked protobuf::libprotobuf INTERFACE_LINK_LIBRARIES)
get_target_property(compiler protobuf::protoc IMPORTED_LOCATION)
message(STATUS "protobuf ${Protobuf_VERSION} links ${linked}, its compiler is ${compiler}; Boost ${Boost_VERSION}")
T
accepts "protobuf 28 by its own package files" "protobuf 28\.0 links absl::strings, its compiler is $work/prefix/bin/protoc; Boost 1\.[0-9]+" \
  dependencies -DCMAKE_PREFIX_PATH="$work/prefix"

# --- LibTorch and NCCL ----------------------------------------------------------------------------------------------------
torch() { # torch NAME VERSION ABI
  local api=$work/$1/site/torch/include/torch/csrc/api/include/torch v
  IFS=. read -ra v <<<"$2"
  mkdir -p "$api" "$work/$1/site/torch/lib"
  : >"$api/torch.h"
  printf '#define TORCH_VERSION_MAJOR %s\n#define TORCH_VERSION_MINOR %s\n#define TORCH_VERSION_PATCH %s\n' "${v[@]}" >"$api/version.h"
  c++ -shared -fPIC -D_GLIBCXX_USE_CXX11_ABI="$3" -x c++ - -o "$work/$1/site/torch/lib/libc10.so" -Wl,-soname,libc10.so \
    <<<$'#include <string>\nnamespace c10 { std::string demangle(const char* name) { return name; } }'
  shared "$work/$1/site/torch/lib/libtorch_cpu.so" libtorch_cpu.so <<<'int torch_cpu;'
}
project torch <<'T'
add_library(facemae_sanitize INTERFACE)
add_library(facemae_warnings INTERFACE)
include(Torch)
file(WRITE ${CMAKE_BINARY_DIR}/main.c "int nccl(void);\nint main(void) { return HAS_NCCL ? nccl() : 0; }\n")
add_executable(program ${CMAKE_BINARY_DIR}/main.c)
set_target_properties(program PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
if(FACEMAE_HAS_NCCL)
  target_link_libraries(program PRIVATE facemae_nccl)
  target_compile_definitions(program PRIVATE HAS_NCCL=1)
else()
  target_compile_definitions(program PRIVATE HAS_NCCL=0 nccl=main)
endif()
install(TARGETS program)
T
torch new 2.7.1 1
torch old_abi 2.7.0 0
torch too_old 2.6.0 0
start=$SECONDS
refuses "LibTorch 2.6.0" 'LibTorch 2\.6\.0 .* is too old: 2\.7' torch -DTORCH_DIR="$work/too_old/site/torch" -DFACEMAE_CUDA=OFF
refuses "LibTorch of the old C++ ABI" 'C\+\+ ABI of before GCC 5' torch -DTORCH_DIR="$work/old_abi/site/torch" -DFACEMAE_CUDA=OFF
[ $((SECONDS - start)) -le 60 ] || miss "LibTorch is refused in seconds"
refuses "a TORCH_DIR without LibTorch" 'holds no include/' torch -DTORCH_DIR="$work"
accepts "LibTorch 2.7.1, named after others in the same build folder" 'LibTorch 2\.7\.1' torch -DTORCH_DIR="$work/new/site/torch" -DFACEMAE_CUDA=OFF
needed() { # needed FILE: its libraries, and where it looks for them
  cmake --build "$work/torch/build" >"$work/said" 2>&1 && cmake --install "$work/torch/build" --prefix "$work/installed" >>"$work/said" 2>&1 &&
    readelf -d "$work/installed/bin/program"
}
[[ $(needed) != *libnccl* ]] || miss "a build without NCCL needs no libnccl"
site=$work/new/site
mkdir -p "$site"/nvidia/{nccl/{include,lib},cuda_runtime/{include/crt,lib},cuda_cccl/include/nv}
touch "$site"/nvidia/{nccl/include/nccl.h,cuda_runtime/include/{cuda_runtime_api.h,crt/host_config.h},cuda_cccl/include/nv/target}
shared "$site/nvidia/nccl/lib/libnccl.so.2" libnccl.so.2 <<<'int nccl(void) { return 0; }'
shared "$site/nvidia/cuda_runtime/lib/libcudart.so.12" libcudart.so.12 <<<'int cudart;'
shared "$site/torch/lib/libc10_cuda.so" libc10_cuda.so <<<'int c10_cuda;'
accepts "NCCL of the wheels of CUDA 12" 'CUDA and NCCL back end: ON' torch -DTORCH_DIR="$site/torch" -DFACEMAE_CUDA=ON
found=$(needed)
[[ $found == *libnccl.so.2* && $found == *"$site"*nvidia/nccl/lib* ]] || { echo "$found" >"$work/said"; miss "an installed program finds NCCL beside LibTorch"; }
# The folders in which conda-forge has the parts of CUDA.
conda=$work/conda
mkdir -p "$conda"/{include,lib} "$conda"/targets/x86_64-linux/{include/{crt,nv},lib}
mv "$site"/nvidia/nccl/include/nccl.h "$conda/include/"
mv "$site"/nvidia/nccl/lib/libnccl.so.2 "$conda/lib/"
mv "$site"/nvidia/cuda_runtime/include/cuda_runtime_api.h "$conda/targets/x86_64-linux/include/"
touch "$conda"/targets/x86_64-linux/include/{crt/host_config.h,nv/target}
mv "$site"/nvidia/cuda_runtime/lib/libcudart.so.12 "$conda/targets/x86_64-linux/lib/"
rm -r "$site/nvidia"
accepts "NCCL of conda" 'CUDA and NCCL back end: ON' torch -UFACEMAE_NCCL_* -UFACEMAE_CUD* -DFACEMAE_CUDA=ON -DTORCH_DIR="$site/torch" \
  -DCMAKE_PREFIX_PATH="$conda"
grep -q "^FACEMAE_CUDA_INCLUDE:PATH=$conda/targets" "$work/torch/build/CMakeCache.txt" || miss "with the headers in targets/"

# --- compilers ----------------------------------------------------------------------------------------------------------
project compilers <<'T'
set(CMAKE_CXX_COMPILER_ID GNU)
set(CMAKE_CXX_COMPILER_VERSION ${TRIED})
include(Compilers)
T
refuses "g++ 10" 'is g\+\+ 10\.2\.1, and C\+\+20 needs 11.*gcc-toolset-13.*gcc13' compilers -DTRIED=10.2.1
accepts "g++ 11" 'Generating done' compilers -DTRIED=11.4.0

[ $faults = 0 ] && echo "libraries: all as promised"
exit $((faults > 0))

# HDF5's C library, 1.10.2 or newer: the serial one, or a parallel one that belongs to the MPI of the program. All calls are
# made by one thread at a time (data/hdf5/hdf5.cpp), and none of them communicates.
find_package(HDF5 REQUIRED COMPONENTS C)
set(hdf5_cure "Load another module or point -DHDF5_ROOT at another one (Debian: libhdf5-dev) in an empty build folder.")
if(HDF5_VERSION VERSION_LESS 1.10.2)
  message(FATAL_ERROR "HDF5 ${HDF5_VERSION} (${HDF5_INCLUDE_DIRS}) is too old: 1.10.2 or newer is needed. ${hdf5_cure}")
endif()
add_library(facemae_hdf5 INTERFACE)
target_include_directories(facemae_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(facemae_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
if(HDF5_IS_PARALLEL)
  target_link_libraries(facemae_hdf5 INTERFACE facemae_mpi) # hdf5.h includes mpi.h
endif()

# A program of HDF5 and MPI tells which library the loader takes for each.
file(WRITE ${PROJECT_BINARY_DIR}/hdf5_and_mpi.c "#include <hdf5.h>
#include <mpi.h>
#include <stdio.h>
int main(void) {
  unsigned major = 0, minor = 0, release = 0;
  int started = 0;
  if (H5get_libversion(&major, &minor, &release) < 0 || MPI_Initialized(&started) != MPI_SUCCESS) return 1;
  printf(\"%d.%d.%d %u.%u.%u\", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE, major, minor, release);
  return 0;
}
")
set(hdf5_and_mpi ${PROJECT_BINARY_DIR}/hdf5_and_mpi)
try_compile(FACEMAE_HDF5_LINKS ${PROJECT_BINARY_DIR}/hdf5 SOURCES ${hdf5_and_mpi}.c COPY_FILE ${hdf5_and_mpi}
  CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${HDF5_INCLUDE_DIRS}"
  LINK_LIBRARIES ${HDF5_C_LIBRARIES} MPI::MPI_C OUTPUT_VARIABLE hdf5_said)
if(NOT FACEMAE_HDF5_LINKS)
  unset(FACEMAE_HDF5_LINKS CACHE) # tried again when something has changed
  message(FATAL_ERROR "A program of HDF5 (${HDF5_C_LIBRARIES}) and MPI (${MPI_C_LIBRARIES}) cannot be linked. ${hdf5_cure}\n${hdf5_said}")
endif()
if(EXISTS ${hdf5_and_mpi}) # linked just now
  execute_process(COMMAND ldd ${hdf5_and_mpi} OUTPUT_VARIABLE loaded)
  string(REGEX MATCHALL "libmpi(ch)?(_[a-z]+(_[0-9]+)?)?\\.so\\.[0-9]+ => [^ \n]+" loaded_mpi "${loaded}")
  list(FILTER loaded_mpi EXCLUDE REGEX "^libmpi_(cxx|mpifh|usempi)")
  list(REMOVE_DUPLICATES loaded_mpi)
  list(LENGTH loaded_mpi count)
  if(count GREATER 1)
    list(TRANSFORM loaded_mpi REPLACE "^(libmpi\\.so\\.40) => (.*)" "Open MPI (\\1, \\2)")
    list(TRANSFORM loaded_mpi REPLACE "^(libmpi[a-z0-9_]*\\.so\\.12) => (.*)" "MPICH or one of its kin (\\1, \\2)")
    list(JOIN loaded_mpi " and " loaded_mpi)
    file(REMOVE ${hdf5_and_mpi})
    unset(FACEMAE_HDF5_LINKS CACHE)
    message(FATAL_ERROR "HDF5 (${HDF5_C_LIBRARIES}) belongs to another MPI than the program's (${MPI_C_LIBRARIES}): together they load "
      "${loaded_mpi}. ${hdf5_cure}")
  endif()
  execute_process(COMMAND ${hdf5_and_mpi} OUTPUT_VARIABLE hdf5_versions RESULT_VARIABLE hdf5_ran ERROR_VARIABLE hdf5_said)
  string(REPLACE " " ";" hdf5_versions "${hdf5_versions}")
  list(LENGTH hdf5_versions count)
  list(REMOVE_DUPLICATES hdf5_versions)
  if(NOT hdf5_ran EQUAL 0 OR NOT count EQUAL 2)
    message(WARNING "A program of HDF5 cannot run here, so its version was not compared with its header's: ${hdf5_ran} ${hdf5_said}")
  elseif(hdf5_versions MATCHES ";")
    list(JOIN hdf5_versions " and the library is " hdf5_versions)
    file(REMOVE ${hdf5_and_mpi})
    unset(FACEMAE_HDF5_LINKS CACHE)
    message(FATAL_ERROR "HDF5's header (${HDF5_INCLUDE_DIRS}) is ${hdf5_versions} (${HDF5_C_LIBRARIES}): two of them are mixed. ${hdf5_cure}")
  endif()
endif()
set(hdf5_kind serial)
if(HDF5_IS_PARALLEL)
  set(hdf5_kind "parallel, of the same MPI")
endif()
message(STATUS "HDF5 ${HDF5_VERSION}, ${hdf5_kind}: ${HDF5_C_LIBRARIES}")

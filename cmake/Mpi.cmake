# MPI of any make: what -DMPI_HOME, the loaded module or -DMPI_C_COMPILER=mpicc.NAME brings. Sources call MPI 3.1 in C.
# The launcher is the one beside a compiler that is named: Debian has mpicc.mpich, mpicc.openmpi and their mpiexec.
if(MPI_C_COMPILER AND NOT MPIEXEC_EXECUTABLE)
  get_filename_component(mpi_suffix ${MPI_C_COMPILER} LAST_EXT)
  find_program(mpi_compiler ${MPI_C_COMPILER} NO_CACHE)
  get_filename_component(mpi_folder ${mpi_compiler} DIRECTORY)
  find_program(MPIEXEC_EXECUTABLE NAMES mpiexec${mpi_suffix} mpirun${mpi_suffix} HINTS ${mpi_folder} NO_DEFAULT_PATH)
endif()
find_package(MPI REQUIRED COMPONENTS C)
add_library(facemae_mpi INTERFACE)
target_link_libraries(facemae_mpi INTERFACE MPI::MPI_C)
target_compile_definitions(facemae_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

# The library says its own name and version, without being started; so does the launcher.
file(WRITE ${PROJECT_BINARY_DIR}/mpi_version.c "#include <mpi.h>
#include <stdio.h>
int main(void) {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = \"\";
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return 1;
  return puts(text) < 0;
}
")
set(mpi_version ${PROJECT_BINARY_DIR}/mpi_version)
file(REMOVE ${mpi_version})
try_compile(mpi_links ${PROJECT_BINARY_DIR}/mpi SOURCES ${mpi_version}.c COPY_FILE ${mpi_version} LINK_LIBRARIES MPI::MPI_C
  OUTPUT_VARIABLE mpi_said)
unset(mpi_links CACHE) # tried at every configuration: a module may bring another one
execute_process(COMMAND ${mpi_version} OUTPUT_VARIABLE mpi_library RESULT_VARIABLE mpi_ran ERROR_VARIABLE mpi_error)
if(mpi_ran EQUAL 0)
  string(REGEX REPLACE "[,\n].*" "" mpi_library "${mpi_library}")
  string(REGEX REPLACE "[ \t]+" " " mpi_library "${mpi_library}")
else()
  set(mpi_library "a library that does not run here (${mpi_ran} ${mpi_error}${mpi_said})")
endif()
message(STATUS "MPI: ${mpi_library}: ${MPI_C_LIBRARIES}")

# Whose a text is. Those that build on MPICH name it, too.
function(facemae_mpi_maker text variable)
  set(maker "")
  if(text MATCHES "Open ?MPI|OpenRTE|PRRTE|Spectrum MPI")
    set(maker "Open MPI")
  elseif(text MATCHES "Intel\\(R\\) MPI|MPICH|HYDRA|Hydra")
    set(maker "MPICH and its kin")
  endif()
  set(${variable} ${maker} PARENT_SCOPE)
endfunction()
if(MPIEXEC_EXECUTABLE)
  execute_process(COMMAND ${MPIEXEC_EXECUTABLE} --version OUTPUT_VARIABLE mpi_launcher ERROR_VARIABLE mpi_launcher)
  facemae_mpi_maker("${mpi_library}" mpi_of_library)
  facemae_mpi_maker("${mpi_launcher}" mpi_of_launcher)
  if(mpi_of_library AND mpi_of_launcher AND NOT mpi_of_library STREQUAL mpi_of_launcher)
    message(WARNING "${MPIEXEC_EXECUTABLE} is of ${mpi_of_launcher}, but the library is of ${mpi_of_library}: it cannot start the tests. "
      "Name the launcher of that library: -DMPIEXEC_EXECUTABLE=...")
  endif()
endif()

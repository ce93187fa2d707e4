#pragma once
// Whose MPI a library is, by what MPI_Get_library_version says, never by what a variable suggests.
#include <string>

namespace facemae {

enum class MpiVendor { OpenMpi, Mpich, Intel, Mvapich, Cray, Unknown };
MpiVendor vendor_of(const std::string& library_version);
/// "Open MPI", "Intel MPI" ...
const char* name_of(MpiVendor vendor);

/// The MPI library that this process has loaded.
struct MpiLibrary {
  MpiVendor vendor = MpiVendor::Unknown;
  std::string version;  ///< "Open MPI 4.1.4": one line
  std::string path;     ///< of the file; empty when the loader does not say
};
/// `text` as of MPI_Get_library_version.
MpiLibrary mpi_library_of(const std::string& text, std::string path);

/// How `size` processes are started by an MPI of this vendor: a launch line, and the one for Slurm.
std::string launch_lines(MpiVendor vendor, int size);
/// What to do where a library of this vendor does not offer MPI_THREAD_MULTIPLE.
std::string thread_remedy(MpiVendor vendor);

}  // namespace facemae

#include "cluster/host/mpi_vendor.h"

#include <gmock/gmock.h>

namespace facemae {
namespace {

struct Text {
  const char* said;
  MpiVendor vendor;
  const char* version;
};
/// What MPI_Get_library_version says (sources: the libraries' own manuals; the first two were run).
const Text kTexts[] = {
    {"Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022",
     MpiVendor::OpenMpi, "Open MPI 4.1.4"},
    {"MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n", MpiVendor::Mpich,
     "MPICH 4.0.2"},
    {"Intel(R) MPI Library 2021.16 for Linux* OS\n", MpiVendor::Intel,
     "Intel(R) MPI Library 2021.16 for Linux* OS"},
    {"MPI VERSION    : CRAY MPICH version 8.1.29.55 (ANL base 3.4a2)\nMPI BUILD INFO : ...", MpiVendor::Cray,
     "CRAY MPICH version 8.1.29.55 (ANL base 3.4a2)"},
    {"MVAPICH2 Version      :\t2.3.7\n", MpiVendor::Mvapich, "MVAPICH2 2.3.7"},
    {"MVAPICH Version:\t3.0\n", MpiVendor::Mvapich, "MVAPICH 3.0"},
    {"IBM Spectrum MPI v10.3.1.0, package: ...", MpiVendor::OpenMpi, "IBM Spectrum MPI 10.3.1.0"},
    {"HPE MPT 2.23", MpiVendor::Unknown, "HPE MPT 2.23"},
};

TEST(MpiVendor, IsReadFromTheLibrarysOwnText) {
  for (const auto& [said, vendor, version] : kTexts) {
    const MpiLibrary library = mpi_library_of(said, "/lib/libmpi.so");
    EXPECT_EQ(library.vendor, vendor) << said;
    EXPECT_EQ(library.version, version);
    EXPECT_EQ(library.path, "/lib/libmpi.so");
  }
}

TEST(MpiVendor, KnowsItsLaunchLineAndItsCureForThreads) {
  EXPECT_EQ(launch_lines(MpiVendor::OpenMpi, 8),
            "mpirun -n 8 --bind-to none facemae ...; under Slurm: srun --mpi=pmix -n 8 facemae ...");
  EXPECT_THAT(launch_lines(MpiVendor::Cray, 8), testing::HasSubstr("srun --mpi=cray_shasta -n 8 facemae"));
  EXPECT_THAT(thread_remedy(MpiVendor::Cray), testing::HasSubstr("MPICH_MAX_THREAD_SAFETY=multiple"));
  for (const auto vendor : {MpiVendor::OpenMpi, MpiVendor::Mpich, MpiVendor::Intel, MpiVendor::Mvapich,
                            MpiVendor::Cray, MpiVendor::Unknown}) {
    EXPECT_THAT(launch_lines(vendor, 3), testing::HasSubstr("-n 3 ")) << name_of(vendor);
    EXPECT_NE(thread_remedy(vendor), "") << name_of(vendor);
  }
}

}  // namespace
}  // namespace facemae

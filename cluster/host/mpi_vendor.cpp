#include "cluster/host/mpi_vendor.h"

#include <array>

#include "core/log.h"

namespace facemae {
namespace {

struct VendorRow {
  MpiVendor vendor;
  const char* said;  ///< in the library's text
  const char *name, *launch, *threads;
};
/// The libraries that are made from MPICH may name it, too: they come before it.
constexpr std::array<VendorRow, 7> kVendors = {{
    {MpiVendor::OpenMpi, "Open MPI", "Open MPI",
     "mpirun -n {0} --bind-to none facemae ...; under Slurm: srun --mpi=pmix -n {0} facemae ...",
     "Open MPI has it by default since 3.0: load a newer one, or rebuild facemae with it"},
    {MpiVendor::OpenMpi, "Spectrum MPI", "Open MPI", "mpirun -n {0} --bind-to none facemae ...",
     "ask the site for a library with thread support"},
    {MpiVendor::Intel, "Intel(R) MPI", "Intel MPI",
     "mpiexec.hydra -n {0} facemae ...; under Slurm: I_MPI_PMI_LIBRARY=PATH/libpmi2.so srun --mpi=pmi2 -n {0} facemae ...",
     "choose its threaded library: I_MPI_LIBRARY_KIND=release"},
    {MpiVendor::Cray, "CRAY MPICH", "Cray MPICH",
     "srun --mpi=cray_shasta -n {0} facemae ...; under PALS: mpiexec -n {0} facemae ...",
     "export MPICH_MAX_THREAD_SAFETY=multiple"},
    {MpiVendor::Mvapich, "MVAPICH", "MVAPICH",
     "mpiexec -n {0} facemae ... (MVAPICH's own); under Slurm: srun --mpi=pmi2 -n {0} facemae ...",
     "export MV2_ENABLE_AFFINITY=0, with which MVAPICH2 offers it"},
    {MpiVendor::Mpich, "MPICH", "MPICH",
     "mpiexec.hydra -n {0} facemae ...; under Slurm: srun --mpi=pmi2 -n {0} facemae ...",
     "use an MPICH that was configured with --enable-threads=multiple, its default"},
    {MpiVendor::Unknown, "", "an MPI that facemae does not know",
     "mpiexec -n {0} facemae ..., with the mpiexec of that MPI",
     "use an MPI that was built with thread support"},
}};

const VendorRow& row_of_vendor(MpiVendor vendor) {
  for (const auto& row : kVendors)
    if (row.vendor == vendor) return row;
  return kVendors.back();
}

}  // namespace

MpiVendor vendor_of(const std::string& library_version) {
  for (const auto& row : kVendors)
    if (library_version.find(row.said) != std::string::npos) return row.vendor;
  return MpiVendor::Unknown;
}

const char* name_of(MpiVendor vendor) { return row_of_vendor(vendor).name; }

MpiLibrary mpi_library_of(const std::string& text, std::string path) {
  // "Open MPI v4.1.4, package: ..."; "MPICH Version:\t4.0.2\nMPICH Release date: ..."; "MPI VERSION    : CRAY MPICH ..."
  std::string line = text.substr(0, text.find_first_of(",\n"));
  if (line.starts_with("MPI VERSION")) line.erase(0, line.find_first_not_of(" :", 11));
  if (const auto word = line.find(" Version"); word != std::string::npos)
    line.replace(word, line.find_first_not_of(" :\t", word + 8) - word, " ");
  for (auto& c : line)
    if (c == '\t') c = ' ';
  if (const auto v = line.find(" v");
      v != std::string::npos && v + 2 < line.size() && line[v + 2] >= '0' && line[v + 2] <= '9')
    line.erase(v + 1, 1);
  return {.vendor = vendor_of(text), .version = line, .path = std::move(path)};
}

std::string launch_lines(MpiVendor vendor, int size) {
  return fmt::format(fmt::runtime(row_of_vendor(vendor).launch), size);
}

std::string thread_remedy(MpiVendor vendor) { return row_of_vendor(vendor).threads; }

}  // namespace facemae

#include "cluster/mpi/mpi_session.h"

#include <dlfcn.h>

#include <array>
#include <vector>

#include "cluster/host/topology.h"
#include "cluster/mpi/mpi_check.h"
#include "core/host.h"

namespace facemae {

MpiSession::MpiSession() {
  int initialised = 0, provided = 0;
  mpi_check(MPI_Initialized(&initialised), "MPI_Initialized");
  if (initialised) {
    mpi_check(MPI_Query_thread(&provided), "MPI_Query_thread");
  } else {
    mpi_check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
    ours_ = true;
  }
  if (provided < MPI_THREAD_MULTIPLE)
    throw ConfigError("starting MPI: MPI_THREAD_MULTIPLE is needed, but " + mpi_version() +
                      " provides less; use an MPI that was built with thread support");
}

void MpiSession::close() {
  if (!ours_) return;
  ours_ = false;
  mpi_check(MPI_Finalize(), "MPI_Finalize");
}

Topology mpi_topology() {
  int rank = 0, size = 1;
  mpi_check(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "asking for the rank");
  mpi_check(MPI_Comm_size(MPI_COMM_WORLD, &size), "asking for the number of ranks");
  MPI_Comm node = MPI_COMM_NULL;
  mpi_check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node),
            "finding the ranks of this node");
  int leader = rank;
  mpi_check(MPI_Bcast(&leader, 1, MPI_INT, 0, node), "naming this node");
  std::vector<int> leaders(static_cast<std::size_t>(size));
  mpi_check(MPI_Allgather(&leader, 1, MPI_INT, leaders.data(), 1, MPI_INT, MPI_COMM_WORLD),
            "counting the nodes");
  MPI_Comm_free(&node);
  return topology_of(leaders, rank, host_name());
}

void mpi_abort(int code) noexcept { MPI_Abort(MPI_COMM_WORLD, code); }

std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);  // allowed before MPI_Init
  std::string version(text, static_cast<std::size_t>(length));
  version = version.substr(0, version.find_first_of(",\n"));  // "Open MPI v4.1.4, package: ..."
  if (const auto v = version.find(" v"); v != std::string::npos) version.erase(v + 1, 1);
  return version;
}

MpiLibrary mpi_library() {
  MpiLibrary library;
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);
  library.version = text;  // the length of some counts the zero at its end
  library.version = library.version.substr(0, library.version.find_first_of(",\n"));
  // Makers that build on MPICH set its macro, too: their own come first.
#if defined(OMPI_MAJOR_VERSION)
  library.built_for = "Open MPI " + std::to_string(OMPI_MAJOR_VERSION) + "." +
                      std::to_string(OMPI_MINOR_VERSION) + "." + std::to_string(OMPI_RELEASE_VERSION);
#elif defined(I_MPI_VERSION)
  library.built_for = "Intel MPI " I_MPI_VERSION;
#elif defined(CRAY_MPICH_VERSION)
  library.built_for = "CRAY MPICH";
#elif defined(MVAPICH2_VERSION)
  library.built_for = "MVAPICH2 " MVAPICH2_VERSION;
#elif defined(MPICH_VERSION)
  library.built_for = "MPICH " MPICH_VERSION;
#endif
  Dl_info where{};
  if (::dladdr(reinterpret_cast<void*>(&MPI_Init), &where) != 0 && where.dli_fname != nullptr)
    library.path = where.dli_fname;
  return library;
}

int mpi_thread_level() {
  int initialised = 0, finalised = 0, provided = 0;
  MPI_Initialized(&initialised);
  MPI_Finalized(&finalised);
  if (!initialised || finalised || MPI_Query_thread(&provided) != MPI_SUCCESS) return -1;
  constexpr std::array kOrder = {MPI_THREAD_SINGLE, MPI_THREAD_FUNNELED, MPI_THREAD_SERIALIZED,
                                 MPI_THREAD_MULTIPLE};
  int level = 0;
  for (std::size_t i = 0; i < kOrder.size(); ++i)
    if (provided >= kOrder[i]) level = static_cast<int>(i);
  return level;
}

}  // namespace facemae

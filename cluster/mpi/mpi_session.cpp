#include "cluster/mpi/mpi_session.h"

#include <dlfcn.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cluster/host/core_share.h"
#include "cluster/host/topology.h"
#include "cluster/mpi/mpi_check.h"
#include "core/host.h"
#include "core/log.h"

namespace facemae {

namespace {

/// Of the headers. Makers that build on MPICH set its macro, too: their own come first.
std::string mpi_of_headers() {
#if defined(OMPI_MAJOR_VERSION)
  return fmt::format("Open MPI {}.{}.{}", OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION);
#elif defined(I_MPI_VERSION)
  return "Intel(R) MPI Library " I_MPI_VERSION;
#elif defined(CRAY_MPICH_VERSION)
  return "CRAY MPICH";
#elif defined(MVAPICH2_VERSION)
  return "MVAPICH2 " MVAPICH2_VERSION;
#elif defined(MPICH_VERSION)
  return "MPICH " MPICH_VERSION;
#else
  return "";
#endif
}

/// Said on stderr if the process ends in the scope.
class LastWords {
 public:
  explicit LastWords(const std::string& words) {
    said() = words;
    [[maybe_unused]] static const int registered = std::atexit([] {
      if (!said().empty()) std::fprintf(stderr, "facemae: %s\n", said().c_str());
    });
  }
  ~LastWords() { said().clear(); }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;

 private:
  static std::string& said() {
    static std::string words;
    return words;
  }
};

}  // namespace

MpiSession::MpiSession(const std::string& last_words) {
  int initialised = 0, provided = 0;
  mpi_check(MPI_Initialized(&initialised), "MPI_Initialized");
  if (initialised) {
    mpi_check(MPI_Query_thread(&provided), "MPI_Query_thread");
  } else {
    const LastWords words(last_words);
    mpi_check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
    ours_ = true;
  }
  if (provided < MPI_THREAD_MULTIPLE) {
    const MpiLibrary library = mpi_library();
    throw ConfigError("starting MPI: MPI_THREAD_MULTIPLE is needed, but " + library.version +
                      " provides less: " + thread_remedy(library.vendor));
  }
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
  int local_rank = 0, local_size = 1;
  MPI_Comm_rank(node, &local_rank);
  MPI_Comm_size(node, &local_size);
  const CoreMask mine = own_cores();
  std::vector<CoreMask> masks(static_cast<std::size_t>(local_size));
  mpi_check(MPI_Allgather(&mine, sizeof mine, MPI_BYTE, masks.data(), sizeof mine, MPI_BYTE, node),
            "gathering the cores of this node's ranks");
  MPI_Comm_free(&node);
  Topology topology = topology_of(leaders, rank, host_name());
  topology.cores = core_share(masks, static_cast<std::size_t>(local_rank)).cores;
  topology.core_mask = divided_cores(masks, static_cast<std::size_t>(local_rank));
  return topology;
}

void mpi_abort(int code) noexcept { MPI_Abort(MPI_COMM_WORLD, code); }

MpiLibrary mpi_library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;  // some count the zero at its end
  MPI_Get_library_version(text, &length);
  Dl_info file{};
  void* const start = ::dlsym(RTLD_DEFAULT, "MPI_Init");
  const bool found = start != nullptr && ::dladdr(start, &file) != 0 && file.dli_fname != nullptr;
  MpiLibrary library = mpi_library_of(text, found ? file.dli_fname : "");
  library.built_for = mpi_of_headers();
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

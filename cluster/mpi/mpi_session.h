#pragma once
// MPI's life in this process, and what MPI knows of our place in the machine.
#include <string>

#include "cluster/host/mpi_vendor.h"
#include "cluster/host/topology.h"

namespace facemae {

/// Initialises MPI with MPI_THREAD_MULTIPLE, unless a test's main already has; then close() leaves MPI to it.
class MpiSession {
 public:
  /// Throws ConfigError when this MPI has no MPI_THREAD_MULTIPLE. MPI may also end the process instead of starting:
  /// then `last_words` are said on stderr.
  explicit MpiSession(const std::string& last_words = "");
  /// Nothing when close() was not called: MPI_Finalize communicates, and unwinding after
  /// a lost peer must not.
  ~MpiSession() = default;
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  void close();  ///< MPI_Finalize; all ranks

 private:
  bool ours_ = false;
};

/// Rank, size, the ranks that share memory with us, and which cores are ours. All ranks.
Topology mpi_topology();
/// MPI_Abort on all ranks; may hang when the launcher is gone.
void mpi_abort(int code) noexcept;
/// Allowed before MPI has started, and after its end.
MpiLibrary mpi_library();
/// What MPI_Query_thread says, as a place in the order single, funneled, serialized, multiple (3); -1: MPI has not started
/// or has ended.
int mpi_thread_level();

}  // namespace facemae

#pragma once
// The one place where MPI's return codes are looked at. For .cpp files of the MPI back end
// only: it includes mpi.h.
#include <mpi.h>

#include <source_location>
#include <string>

#include "core/error.h"

namespace facemae {

/// Throws PeerLost, with MPI's own text, unless `code` is MPI_SUCCESS.
inline void mpi_check(int code, const std::string& doing,
                      std::source_location at = std::source_location::current()) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw PeerLost(doing + " failed: " + std::string(text, static_cast<std::size_t>(length)), at);
}

/// A communicator of our own over all ranks, whose errors return instead of ending the process. All ranks.
inline MPI_Comm duplicate_world(std::source_location at = std::source_location::current()) {
  MPI_Comm comm = MPI_COMM_NULL;
  mpi_check(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "duplicating MPI_COMM_WORLD", at);
  mpi_check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "setting the error handler", at);
  return comm;
}
/// The same over the ranks that give the same `part` (at least 0), in their order. All ranks.
inline MPI_Comm part_of_world(int part, std::source_location at = std::source_location::current()) {
  MPI_Comm comm = MPI_COMM_NULL;
  mpi_check(MPI_Comm_split(MPI_COMM_WORLD, part, 0, &comm), "dividing MPI_COMM_WORLD", at);
  mpi_check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "setting the error handler", at);
  return comm;
}

}  // namespace facemae

#pragma once
// NCCL's table of functions, carried out by the product's communicator over MPI. Calls return before the collective is done, a
// thread carries them out one after the other, and streams wait at gates: what comes after is the product's own
// NcclCommunicator with its polling, deadlines, errors and abort.
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "cluster/nccl/nccl_api.h"

namespace facemae::rehearsal {

struct Traffic {
  std::int64_t calls = 0, bytes = 0;  ///< bytes of what this rank hands in
};

/// One communicator of all ranks of MPI_COMM_WORLD. A stream in the table is the address of a c10::Stream.
class Wire {
 public:
  Wire();
  ~Wire();
  nccl::Api api() const;

  enum class Fault {
    None,
    Stuck,  ///< a collective that is issued from now on never ends, until it is aborted
    Lost    ///< it ends without having been carried out, of which tell() tells
  };
  void fail(Fault fault) const;
  /// An asynchronous error, as NCCL's of a link or peer that is lost.
  void tell() const;
  std::map<std::string, Traffic> traffic() const;  ///< by verb

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace facemae::rehearsal

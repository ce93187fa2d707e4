#pragma once
// Copies this rank's part of the state aside while training goes on, into one buffer that is allocated once.
#include "checkpoint/format/layout.h"
#include "checkpoint/format/staged_file.h"
#include "checkpoint/tensors/snapshot.h"
#include "checkpoint/tensors/state.h"

namespace facemae {

class Staging {
 public:
  /// Decides what this rank writes and copies at once what the next forward pass may change (all tensors that
  /// are not `steady`). The other copies are made by copy_steady().
  void lay_out(const Snapshot& snapshot, const StateShape& shape, int rank, int world);
  /// Copies the steady tensors: any thread, before the optimizer changes them.
  void copy_steady();
  const StagedFile& file() const { return file_; }

 private:
  struct Source {
    torch::Tensor value;
    ByteRange range;  ///< of the value's own bytes
    std::uint64_t at;
    bool steady;
  };
  void copy(const Source& source);

  torch::Tensor buffer_;  ///< uint8 on the host; grows only when the state does
  std::vector<Source> sources_;
  StagedFile file_;
};

}  // namespace facemae

#pragma once
// Copies this rank's part of the state aside while training goes on, into one buffer that is allocated once.
#include <optional>

#include "checkpoint/format/layout.h"
#include "checkpoint/format/staged_file.h"
#include "checkpoint/tensors/fetch.h"
#include "checkpoint/tensors/snapshot.h"
#include "checkpoint/tensors/state.h"

namespace facemae {

class Staging {
 public:
  /// Tensors on the device of `side` are fetched by it; null: all are copied by threads.
  explicit Staging(std::shared_ptr<SideStream> side = nullptr);
  /// Decides what this rank writes and copies at once what the next forward pass may change (all tensors that
  /// are not `steady`); copies from a device are only enqueued. The others of the host are made by copy_steady().
  void lay_out(const Snapshot& snapshot, const StateShape& shape, int rank, int world);
  /// Copies the steady tensors of the host: any thread, before the optimizer changes them.
  void copy_steady();
  /// The device changes nothing that has not been fetched, of what it is asked to do from now on.
  void hold_device() const;
  /// After copy_steady(), on the same thread: waits for what is fetched from the device.
  void collect();
  const StagedFile& file() const { return file_; }

 private:
  struct Source {
    torch::Tensor value;
    ByteRange range;  ///< of the value's own bytes
    std::uint64_t at;
    bool steady;
  };
  void copy(const Source& source);
  void fetch();

  std::shared_ptr<SideStream> side_;
  std::optional<Fetch> fetch_;
  torch::Tensor buffer_;  ///< uint8 on the host; grows only when the state does
  std::vector<Source> sources_;
  StagedFile file_;
};

}  // namespace facemae

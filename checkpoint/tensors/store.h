#pragma once
// Keeps the checkpoints of a run: RUN/checkpoints/s<step>.a<start>/ with safetensors shards, MANIFEST.pb and
// COMMIT (docs/CHECKPOINT.md). A step exists when its COMMIT does.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/format/class_map.h"
#include "checkpoint/format/manifest.h"
#include "checkpoint/tensors/saver.h"
#include "checkpoint/tensors/snapshot.h"
#include "cluster/host/control.h"
#include "cluster/tensors/communicator.h"
#include "core/files/files.h"

namespace facemae {

struct CheckpointInfo {
  std::uint64_t step = 0;
  std::uint32_t start = 0;  ///< which start of the run wrote it
  Path folder;
  std::uint64_t samples = 0;
  int world = 0;
  std::string config, run_state, model_hash, dataset_digest, root_hash;
  std::string cpu;  ///< instruction set of the kernels that computed it
  std::map<std::string, std::vector<std::int64_t>> shapes;  ///< of replicated tensors
};

/// All ranks construct one, with equal arguments. Rank 0 alone looks at folders and tells the others.
class CheckpointStore {
 public:
  /// `tensors`: replicated tensors on its device are then read in slices, one rank each, and broadcast; every
  /// rank reads the others, and without it all of them.
  CheckpointStore(Path run, Control& control, FileSystem& files, Communicator* tensors = nullptr);

  /// All ranks. Writes, commits and verifies the step and waits for all of it; see Saver for
  /// saves beside training.
  bool save(const Snapshot& snapshot, std::uint32_t start);
  Saver& saver() { return saver_; }

  /// All ranks, before anything is built: what the newest valid checkpoint says, or nothing for a run that
  /// never committed. Throws Unresumable (exit 93) listing each reason when a history exists but nothing in
  /// it is valid; AgreedError (exit 75) when the storage does not answer.
  std::optional<CheckpointInfo> newest();

  /// All ranks. Reads `info` into the tensors of `into` (names and shapes must match exactly; class rows are
  /// those of the present world), its step, samples and run_state, and checks every hash while it reads and
  /// again in memory. Returns the reason if it is corrupt, the same on all ranks: ask newest() again, which
  /// skips what was found bad. Throws ConfigError on all ranks for a checkpoint of another model and for
  /// tensors that are missing, extra or of another shape, listing all of them. With a class map the
  /// checkpoint may have other classes: rows come from where the map says.
  std::optional<std::string> restore(const CheckpointInfo& info, Snapshot& into,
                                     const ClassMap* map = nullptr);
  /// The checkpoint that was restored last.
  std::optional<CheckpointId> restored() const { return restored_; }
  /// Every byte of it was read: not with a class map, which leaves classes out.
  bool restored_in_full() const { return restored_ && in_full_; }

 private:
  Path run_, checkpoints_;
  Control& control_;
  Communicator* tensors_;
  std::optional<CheckpointId> restored_;
  bool in_full_ = false;
  std::map<std::string, std::string> bad_;  ///< folder names found bad, with reasons; the same on all ranks
  bool unread_ = false;                     ///< this rank passed one over because the storage did not answer
  Saver saver_;
};

}  // namespace facemae

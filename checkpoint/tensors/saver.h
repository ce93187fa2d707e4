#pragma once
// Saves checkpoints without holding up training. A save passes through phases; in each, the ranks work in the
// background, and when none is busy any more (the step's mask says so) all go on to the next together:
//   writing      every rank: copy, look for values that are not finite, hash, write and sync its file
//   committing   rank 0: sees all files, MANIFEST.pb, HISTORY, COMMIT; only then is the step announced
//   scrubbing    every rank: read its file again from the storage
//   tidying      rank 0: the stamp VERIFIED, LATEST, retention
// One save at a time. A save that fails is counted and its debris removed; training goes on.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/history/commit.h"
#include "checkpoint/history/retention.h"
#include "checkpoint/tensors/snapshot.h"
#include "cluster/host/control.h"
#include "cluster/tensors/side_stream.h"
#include "core/background_job.h"

namespace facemae {

/// What saving has cost so far, on this rank.
struct SaveFigures {
  std::uint64_t committed = 0, failed = 0;
  double seconds = 0;          ///< of the last save, from its beginning to its announcement
  double longest_seconds = 0;  ///< of any save
  double stalled_seconds = 0;  ///< in all: training waited for copies, votes and last saves
};

/// All ranks construct one, with equal arguments, and call what communicates in the same order.
class Saver {
 public:
  /// `side` fetches the state from the device that it is on; null: the state is on the host.
  Saver(Path checkpoints, Control& control, FileSystem& files, std::shared_ptr<SideStream> side = nullptr);
  ~Saver();

  /// All ranks. Begins to save the state after a step. False if a save is still under way. Throws ConfigError
  /// on all ranks for a state that cannot be saved.
  bool begin(const Snapshot& snapshot, std::uint32_t start);
  /// To be called before the optimizer changes what is being copied, by the thread that calls it. The host waits for
  /// copies of the host alone: on a device, the stream of the calling thread does. No communication.
  void wait_copied();
  /// This rank is working in the background: its bit in the step's mask.
  bool busy() const { return job_.busy(); }
  /// A save, its scrub or its tidying is under way. The same on all ranks.
  bool in_flight() const { return phase_ != Phase::Idle; }
  /// All ranks, with what the mask says. Goes to the next phase when no rank is busy. Throws on all ranks:
  /// Unresumable after `max_failed_saves` in a row that failed or were damaged when they were read back, and
  /// AgreedError ("Diverged") for a state with values that are not finite, of which nothing is written.
  void advance(bool anyone_busy);
  /// All ranks. Saves now and waits for the announcement; first finishes what is under way, except for
  /// scrubbing, which is given up. A step that this start has committed already is left as it is. False
  /// if it failed.
  bool save(const Snapshot& snapshot, std::uint32_t start);
  /// All ranks. Waits for scrubbing and tidying, too.
  void settle();
  /// The scrub found a file damaged: the state should be saved again soon. The same on all ranks.
  bool wants_another() const { return wants_another_; }

  std::optional<CheckpointId> last_committed() const { return last_committed_; }
  const SaveFigures& figures() const { return figures_; }

  /// What the next checkpoint continues: the one that was restored.
  void continue_from(CheckpointId id) { parent_ = id; }
  /// Rank 0, once start `start` may write: stamps what it restored if all of it was read and is right, and
  /// removes what that releases. Otherwise runs of short starts would never delete anything.
  void confirm(CheckpointId restored, std::uint32_t start, bool read_in_full);
  /// Restoring found this checkpoint bad: it does not count for retention.
  void distrust(CheckpointId id) { distrusted_.push_back(id); }
  void keep(const RetentionPolicy& policy) { policy_ = policy; }
  int max_failed_saves = 3;
  std::chrono::milliseconds show_patience = kShowPatience;  ///< rank 0's, to see what the others have written
  std::function<void()> while_waiting;  ///< called several times a second while ranks wait for a save

 private:
  enum class Phase { Idle, Writing, Committing, Discarding, Scrubbing, Tidying };
  struct Flight;  ///< the save under way; owned by the background jobs, too

  void written();
  void committed();
  void end_when_taken(bool taken);
  void scrubbed();
  void fail(const std::string& failure);
  [[noreturn]] void diverged(const std::string& where);
  void discard();
  void retire(const std::string& failure);
  void wait_for_all();  ///< waits until no rank is busy, then advances

  Path checkpoints_;
  Control& control_;
  FileSystem& files_;
  std::shared_ptr<SideStream> side_;
  RetentionPolicy policy_;
  Phase phase_ = Phase::Idle;
  std::shared_ptr<Flight> flight_;
  std::optional<CheckpointId> parent_, last_committed_;
  std::vector<CheckpointId> distrusted_;
  bool wants_another_ = false;
  int failed_in_row_ = 0, damaged_in_row_ = 0;
  SaveFigures figures_;
  BackgroundJob job_;  // last: it ends first
};

}  // namespace facemae

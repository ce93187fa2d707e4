#pragma once
// Looks about once a second for what is asked of a run by files, beside the steps: they read values that are there already.
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/background_job.h"
#include "core/files/files.h"

namespace facemae {

/// Rank 0 makes one; a default one, of the other ranks, never asks for anything. A storage that hangs holds up its thread
/// alone.
class RequestWatch {
 public:
  using Clock = std::chrono::steady_clock;
  RequestWatch() = default;
  explicit RequestWatch(const Path& run, std::chrono::milliseconds every = std::chrono::seconds(1),
                        FileSystem& files = real_files());

  bool stop() const { return seen_ && seen_->stop; }
  /// Who asked for the stop, and when; "" when nobody did.
  std::string who() const;
  /// A checkpoint is asked for, and saved() was not called since.
  bool save() const { return seen_ && seen_->save; }
  /// What was asked for is committed: the file goes, on the watch's own thread.
  void saved();
  /// When the batch job ends, nothing when nobody said.
  std::optional<Clock::time_point> end() const;

 private:
  struct Seen {
    std::atomic<bool> stop = false, save = false, answered = false;
    std::atomic<Clock::rep> end = 0;  ///< of the clock since its epoch; 0: not known
  };
  static void look(const Path& run, FileSystem& files, Seen& seen);

  Path run_;
  std::shared_ptr<Seen> seen_;  ///< a hanging thread outlives the watch
  std::unique_ptr<BackgroundJob> job_;
};

}  // namespace facemae

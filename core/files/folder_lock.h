#pragma once
// Lets one process at a time write into a place, by a lock file that names its owner.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/files/files.h"

namespace facemae {

/// What is locked and why, for the message to whoever finds it held.
struct LockConfig {
  std::string thing;          ///< what the place is: "the run"
  std::string work;           ///< what the owner does there: "training"
  std::string otherwise;      ///< what to do instead of waiting: "use another --run"
  std::string name = "lock";  ///< of the file in the folder
  Path place = {};            ///< what a message names; the folder, unless given
  bool from_own_job = false;  ///< taken over at once from an earlier start of the same Slurm job
  std::chrono::seconds for_own_job{
      30};  ///< else its end is waited for so long: requeued jobs overlap a little
};

/// Held as long as this object lives; a process that is killed loses it (an open-file-description lock,
/// within this host or, on a file system that all nodes share, within all of them). Where the file system has
/// no locks, a heartbeat decides: the file is touched every few seconds. The file names host, process, Slurm
/// job and work, and is removed at the end; that of a dead owner stays until the next owner takes it.
class FolderLock {
 public:
  /// Creates the folder if it is missing (and removes it at the end if nothing was put into it). Throws
  /// Unresumable naming the owner when another process holds the lock, FileError when it has no place.
  FolderLock(const Path& folder, LockConfig config);
  /// Locks `path` by `path`.lock beside it: for places that exist completely or not at all.
  static std::unique_ptr<FolderLock> beside(const Path& path, LockConfig config);
  /// Null when another process holds the lock; does not wait for it.
  static std::unique_ptr<FolderLock> if_free(const Path& folder, LockConfig config);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// Does any process hold it now? This only looks. Without locks, the heartbeat's age decides.
  static bool held(const Path& lock_file);
  /// Is the file touched within `patience`? No clocks are compared: those of hosts and storage differ.
  static bool beats(const Path& lock_file, std::chrono::milliseconds patience);
  /// Who holds it, for messages: "process 7 on node3, Slurm job 41, training since 2026-01-31T12:00:00Z".
  static std::string owner(const Path& lock_file);
  /// The process that holds it, if that one lives on this host.
  static std::optional<int> owner_here(const Path& lock_file);

 private:
  enum class Wait { No, Yes };
  FolderLock(const Path& folder, LockConfig config, Wait wait);
  bool take(Wait wait);
  bool open_or_make();
  void begin();
  void remove_own() const noexcept;
  void beat();

  LockConfig config_;
  Path folder_, path_;
  bool made_folder_ = false, made_file_ = false, taken_ = false;
  int descriptor_ = -1;
  std::string own_text_, refused_by_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool end_ = false;
  std::thread beating_;
};

}  // namespace facemae

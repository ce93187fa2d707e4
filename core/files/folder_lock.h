#pragma once
// One process at a time writes into a place: a lock file that names its owner, in a folder or beside a file.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/files/files.h"

namespace facemae {

/// What is locked and why, for whoever finds it held.
struct LockConfig {
  std::string thing;          ///< what the place is: "the run"
  std::string work;           ///< what the owner does there: "training"
  std::string otherwise;      ///< how to do without waiting: "use another --run"
  std::string name = "lock";  ///< of the file in the folder
  Path place = {};            ///< what a message names; the folder unless given
  bool from_own_job = false;  ///< taken over at once from an earlier start of the same Slurm job
  std::chrono::seconds for_own_job{
      30};  ///< else its end is waited for so long: requeued jobs overlap a little
};

/// Held while this lives; a killed process loses it (an open-file-description lock, of this host or, over a
/// file system that all nodes share, of any). Where the file system has no locks, its heartbeat decides: the
/// file is touched every few seconds. It names host, process, Slurm job and work, and goes at the end; a dead
/// owner's stays, and the next one takes it.
class FolderLock {
 public:
  /// Makes the folder when it is missing (and removes it at the end when nothing has been put into it).
  /// Throws Unresumable that names the owner when another holds it, FileError when there is no place for it.
  FolderLock(const Path& folder, LockConfig config);
  /// Of the file or folder `path`, as `path`.lock beside it: for places that are there in full or not at all.
  static std::unique_ptr<FolderLock> beside(const Path& path, LockConfig config);
  /// Nothing when another holds it, and then nothing is waited for.
  static std::unique_ptr<FolderLock> if_free(const Path& folder, LockConfig config);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// Does anybody hold it now? Only looks. Without locks, told by the heartbeat's age.
  static bool held(const Path& lock_file);
  /// Is the file touched within `patience`? No clocks are compared: those of hosts and storage differ.
  static bool beats(const Path& lock_file, std::chrono::milliseconds patience);
  /// Who holds it, for messages: "process 7 on node3, Slurm job 41, training since 2026-01-31T12:00:00Z".
  static std::string owner(const Path& lock_file);

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

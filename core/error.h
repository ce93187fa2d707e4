#pragma once
// The kinds of failure, one per remedy, and the exit codes that schedulers see.
#include <source_location>
#include <stdexcept>
#include <string>

namespace facemae {

/// What the program tells its scheduler (docs/ARCHITECTURE.md, "Exit codes").
enum class ExitCode : int {
  Done = 0,
  Crash = 1,
  BadConfiguration = 2,  ///< the command line or configuration is wrong: do not requeue
  Different = 3,         ///< what was compared is not equal; nothing failed
  BadData = 65,          ///< input data are bad beyond the policy: do not requeue
  ReleaseRefused = 66,   ///< a release was refused by its policy
  PeerLost = 75,         ///< a peer or device was lost: restart from the last checkpoint
  Stopped = 76,          ///< stopped on notice with a committed checkpoint: requeue
  DoNotRequeue = 93,     ///< no valid checkpoint where history exists, or no progress: stop and tell the user
};

/// Every failure this project raises. `where()` is the caller's line, not ours. Say what was being done, on
/// what, what was found, and the likely remedy.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what, std::source_location at = std::source_location::current())
      : std::runtime_error(what), at_(at) {}
  const std::source_location& where() const noexcept { return at_; }

 private:
  std::source_location at_;
};
struct ConfigError : Error {  ///< the user can fix it: exit 2, never retried
  using Error::Error;
};
struct DataError : Error {  ///< a sample or a store is bad: exit 65
  using Error::Error;
};
struct ReleaseRefused : Error {  ///< a release policy says no: exit 66
  using Error::Error;
};
struct CheckpointError : Error {  ///< this checkpoint is bad: try the one before; the last one: exit 65
  using Error::Error;
};
/// The storage did not give the bytes of a checkpoint; they may still be right: exit 1, another try may do.
struct UnreadableCheckpoint : CheckpointError {
  using CheckpointError::CheckpointError;
};
struct PeerLost : Error {  ///< some rank is gone: abort collectives, restart from the last commit
  using Error::Error;
};
struct Unresumable : Error {  ///< history exists but nothing valid, or no progress: exit 93
  using Error::Error;
};
/// A failed system call on a file: `what()` has the path and errno's text.
class FileError : public Error {
 public:
  FileError(const std::string& what, int code, std::source_location at = std::source_location::current())
      : Error(what, at), code_(code) {}
  int code() const noexcept { return code_; }  ///< errno
  /// False when the path itself is the fault (nothing there, no folder, no permission): another try will not
  /// cure it, the user may: exit 2.
  bool may_pass() const noexcept;

 private:
  int code_;
};

/// The exit code that an exception of any type ends the program with.
ExitCode exit_code_for(const std::exception& error) noexcept;
/// "ConfigError", "PeerLost", ... for outcome.json; "crash" for foreign exceptions.
std::string kind_of(const std::exception& error);

}  // namespace facemae

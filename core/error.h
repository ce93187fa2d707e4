#pragma once
// Defines the kinds of failure, one per remedy, and the exit codes that schedulers see.
#include <source_location>
#include <stdexcept>
#include <string>

namespace facemae {

/// What the program tells its scheduler (docs/ARCHITECTURE.md, "Exit codes").
enum class ExitCode : int {
  Done = 0,
  Crash = 1,
  BadConfiguration = 2,      ///< the command line or configuration is wrong: do not requeue
  Different = 3,             ///< what was compared is not equal; nothing failed
  BadData = 65,              ///< the input data are worse than the policy allows: do not requeue
  ReleaseRefused = 66,       ///< a release was refused by its policy
  ReleaseInconclusive = 67,  ///< the audit does not show enough for the policy: neither passed nor failed
  PeerLost = 75,             ///< a peer or device was lost: restart from the last checkpoint
  Stopped = 76,              ///< stopped on notice with a committed checkpoint: requeue
  DoNotRequeue = 93,  ///< no valid checkpoint despite a history, or no progress: stop and tell the user
};

/// Every failure that this project raises. `where()` is the line that raised it: --log-level debug prints it. A message
/// says what was being done, on what, what was found, and the likely remedy.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what, std::source_location at = std::source_location::current())
      : std::runtime_error(what), at_(at) {}
  const std::source_location& where() const noexcept { return at_; }
  /// "data/store/store.cpp:71, in Store::open": `where()` as text, of the rank on which it failed first.
  virtual std::string place() const;

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
struct CheckpointError : Error {  ///< this checkpoint is bad: try the one before; if none: exit 65
  using Error::Error;
};
/// The storage did not deliver the bytes of a checkpoint, which may still be right: exit 1, a retry may help.
struct UnreadableCheckpoint : CheckpointError {
  using CheckpointError::CheckpointError;
};
struct PeerLost : Error {  ///< some rank is gone: abort collectives, restart from the last commit
  using Error::Error;
};
struct Unresumable : Error {  ///< a history without anything valid, or no progress: exit 93
  using Error::Error;
};
/// A failed system call on a file: `what()` has the path and the text of errno.
class FileError : public Error {
 public:
  FileError(const std::string& what, int code, std::source_location at = std::source_location::current())
      : Error(what, at), code_(code) {}
  int code() const noexcept { return code_; }  ///< errno
  /// False when the path itself is at fault (nothing there, not a folder, no permission): a retry will not
  /// help, but the user can: exit 2.
  bool may_pass() const noexcept;

 private:
  int code_;
};

/// The exit code with which an exception of any type ends the program.
ExitCode exit_code_for(const std::exception& error) noexcept;
/// "ConfigError", "PeerLost", ... for outcome.json; "crash" for exceptions that are not ours.
std::string kind_of(const std::exception& error);
/// Its place(); "" for foreign exceptions.
std::string place_of(const std::exception& error);

}  // namespace facemae

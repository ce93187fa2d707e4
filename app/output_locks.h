#pragma once
// Two starts of a command that write to one place: the second is refused, with 93, and told who the first is.
#include <memory>
#include <string>
#include <vector>

#include "core/files/folder_lock.h"

namespace facemae {

/// Locks of what a command writes, held by one rank for the command's life. What killed starts left there
/// under temporary names is removed.
class OutputLocks {
 public:
  explicit OutputLocks(std::string command) : command_(std::move(command)) {}
  /// A folder that files are put into; made when it is missing.
  void folder(const std::string& option, const Path& path);
  /// A file; "" is none. Throws ConfigError when there is no place for it.
  void file(const std::string& option, const Path& path);
  /// A file or a folder that is there in full or not at all: locked beside it.
  void whole(const std::string& option, const Path& path);

 private:
  bool is_new(const Path& path);
  LockConfig config(const std::string& option) const;

  std::string command_;
  std::vector<Path> places_;
  std::vector<std::unique_ptr<FolderLock>> locks_;
};

}  // namespace facemae

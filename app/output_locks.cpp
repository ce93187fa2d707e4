#include "app/output_locks.h"

#include <unistd.h>

#include <algorithm>

#include "core/files/temporary_file.h"

namespace facemae {

LockConfig OutputLocks::config(const std::string& option) const {
  return {.thing = option, .work = "facemae " + command_, .otherwise = "use another " + option};
}

/// One place may be named twice, which is for the command to judge: it need not wait for itself.
bool OutputLocks::is_new(const Path& path) {
  Path place = std::filesystem::weakly_canonical(std::filesystem::absolute(path));
  if (std::find(places_.begin(), places_.end(), place) != places_.end()) return false;
  places_.push_back(std::move(place));
  return true;
}

void OutputLocks::folder(const std::string& option, const Path& path) {
  // What is finished may lie on a disk where nobody may write, this process neither:
  // there is nothing to lock.
  if (std::filesystem::is_directory(path) && ::access(path.c_str(), W_OK) != 0) return;
  if (!is_new(path)) return;
  locks_.push_back(std::make_unique<FolderLock>(path, config(option)));
  remove_temporaries(path);
}

void OutputLocks::file(const std::string& option, const Path& path) {
  expect_place_for(option.substr(option.find_first_not_of('-')), path);
  const bool plain = std::filesystem::is_regular_file(path) || !std::filesystem::exists(path);
  if (!path.empty() && plain) whole(option, path);  // a device or a pipe is nobody's
}

void OutputLocks::whole(const std::string& option, const Path& path) {
  if (!is_new(path)) return;
  locks_.push_back(FolderLock::beside(path, config(option)));
  const Path named = path.has_filename() ? path : path.parent_path();
  remove_temporaries(named.parent_path(), named.filename().string());
}

}  // namespace facemae

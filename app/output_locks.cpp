#include "app/output_locks.h"

#include <unistd.h>

#include <algorithm>

#include "core/error.h"
#include "core/files/temporary_file.h"

namespace facemae {
namespace {

/// A folder, or nothing: then it is made.
void expect_folder(const std::string& option, const Path& path) {
  std::error_code unseen;
  const auto there = std::filesystem::status(path, unseen);
  if (std::filesystem::is_directory(there)) return;
  if (std::filesystem::exists(there))
    throw ConfigError(option + ": " + path.string() + " is not a folder, and one is expected there");
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(path, unseen)))
    throw ConfigError(option + ": " + path.string() +
                      " is a link to nothing, and a folder is expected there");
}

}  // namespace

LockConfig OutputLocks::config(const std::string& option) const {
  return {.thing = option, .work = "facemae " + command_, .otherwise = "use another " + option};
}

/// One place may be named twice, which is for the command to judge: it need not wait for itself.
bool OutputLocks::is_new(const Path& path) {
  std::error_code unseen;  // a pipe of the shell has no such name
  Path place = std::filesystem::weakly_canonical(std::filesystem::absolute(path), unseen);
  if (unseen) place = std::filesystem::absolute(path).lexically_normal();
  if (std::find(places_.begin(), places_.end(), place) != places_.end()) return false;
  places_.push_back(std::move(place));
  return true;
}

void OutputLocks::folder(const std::string& option, const Path& path) {
  expect_folder(option, path);
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
  const Path named = path.has_filename() ? path : path.parent_path();
  expect_folder(option, named.parent_path());
  if (std::filesystem::is_other(path))
    throw ConfigError(option + ": " + path.string() +
                      " is a pipe or a device, where a new file or folder is expected");
  if (!is_new(path)) return;
  locks_.push_back(FolderLock::beside(path, config(option)));
  remove_temporaries(named.parent_path(), named.filename().string());
}

}  // namespace facemae

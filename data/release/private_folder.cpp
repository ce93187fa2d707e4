#include "data/release/private_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr const char* kLockName = "lock";

[[noreturn]] void refuse_folder(const Path& folder, const std::string& why) {
  throw ConfigError(fmt::format(
      "the private folder {} {}: others could read the secrets of a release, or may have left links to places of their own. "
      "Give a folder that does not exist yet",
      folder.string(), why));
}

bool belongs_here(const std::string& name) {
  static constexpr std::array<const char*, 7> beginnings{"ledger.jsonl", "link.h5", "link-",       "secret-",
                                                         "settings-",    "images-", "partition.h5"};
  return name == kLockName || name.starts_with(".nfs") ||  // a file that NFS keeps until it is closed
         std::any_of(beginnings.begin(), beginnings.end(),
                     [&](const char* beginning) { return name.starts_with(beginning); });
}

/// Lets only its owner read and write the file `name` of the folder, unless it has vanished.
void close_to_others(int descriptor, const Path& folder, const std::string& name) {
  if (::fchmodat(descriptor, name.c_str(), 0600, 0) == 0 || errno == ENOENT) return;
  const int code = errno;
  throw FileError("closing " + (folder / name).string() + " to others: " + std::strerror(code), code);
}

}  // namespace

PrivateFolder::PrivateFolder(const Path& folder)
    : path_(std::filesystem::weakly_canonical(std::filesystem::absolute(folder))) {
  if (!path_.has_filename()) path_ = path_.parent_path();  // "secret/"
  make_folders(real_files(), path_.parent_path());
  made_ = ::mkdir(path_.c_str(), 0700) == 0;
  if (!made_ && errno != EEXIST)
    throw FileError("making the private folder " + path_.string() + ": " + std::strerror(errno), errno);
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor_ < 0)
    refuse_folder(path_, std::string("cannot be opened as a folder (") + std::strerror(errno) + ")");
  try {
    if (made_) {
      ::fchmod(descriptor_, 0700);  // a umask may have removed rights of the owner
      real_files().sync_folder(path_.parent_path());
    }
    check_folder();
    check_entries();
    lock_.emplace(at(""), LockConfig{.thing = "the private folder",
                                     .work = "making a release",
                                     .otherwise = "use another --private",
                                     .name = kLockName,
                                     .place = path_});
    close_to_others(descriptor_, path_, kLockName);
    remove_temporaries(at(""));
  } catch (...) {
    ::close(descriptor_);
    if (made_) ::rmdir(path_.c_str());
    throw;
  }
}

PrivateFolder::~PrivateFolder() {
  lock_.reset();
  ::close(descriptor_);
  if (made_) ::rmdir(path_.c_str());  // only if it is empty
}

void PrivateFolder::check_folder() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0)
    throw FileError("looking at " + path_.string() + ": " + std::strerror(errno), errno);
  if (info.st_uid != ::geteuid()) refuse_folder(path_, "belongs to another user");
  if ((info.st_mode & 0777U) != 0700U)
    refuse_folder(
        path_,
        fmt::format(
            "has mode {:04o}, not 0700{}", info.st_mode & 0777U,
            made_ ? ", although it was created with that mode: its file system has no permissions" : ""));
}

void PrivateFolder::check_entries() const {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(
      ::fdopendir(::openat(descriptor_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), ::closedir);
  if (!entries) throw FileError("reading the folder " + path_.string() + ": " + std::strerror(errno), errno);
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat info {};
    if (::fstatat(descriptor_, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // vanished just now
    if (S_ISLNK(info.st_mode)) refuse_folder(path_, "holds " + name + ", a symbolic link");
    if (!S_ISREG(info.st_mode) || !belongs_here(name))
      refuse_folder(path_, "holds " + name + ", which does not belong to a release");
    if (info.st_uid != ::geteuid()) refuse_folder(path_, "holds " + name + ", a file of another user");
    if (info.st_nlink > 1) refuse_folder(path_, "holds " + name + ", a file with a second name elsewhere");
    if ((info.st_mode & 0077U) != 0) close_to_others(descriptor_, path_, name);
  }
}

Path PrivateFolder::at(const Path& name) const {
  return Path("/proc/self/fd") / std::to_string(descriptor_) / name;
}

std::unique_ptr<OutputFile> PrivateFolder::create(const Path& name) {
  remove(name);  // left by a killed start
  const int made =
      ::openat(descriptor_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (made < 0 || ::fchmod(made, 0600) != 0) {
    const int code = errno;
    if (made >= 0) ::close(made);
    throw FileError("making " + (path_ / name).string() + ": " + std::strerror(code), code);
  }
  ::close(made);
  return real_files().open_append(at(name));
}

std::unique_ptr<OutputFile> PrivateFolder::open_append(const Path& name) {
  return has(name) ? real_files().open_append(at(name)) : create(name);
}
void PrivateFolder::rename(const Path& from, const Path& to) {
  if (from.is_relative() && is_temporary(from.filename().string()))  // one like it lies in the present folder
    throw Error("writing " + to.string() + " in the private folder " + path_.string() + " by a bare name");
  real_files().rename(at(from), at(to));
}
void PrivateFolder::remove(const Path& name) { real_files().remove(at(name)); }
void PrivateFolder::make_folder(const Path& name) {
  throw Error("making the folder " + name.string() + " in the private folder " + path_.string());
}
void PrivateFolder::sync_folder(const Path&) { real_files().sync_folder(at("")); }

}  // namespace facemae

#include "core/files/folder_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/host.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr auto kBeat = std::chrono::seconds(5);
constexpr auto kPatience = 6 * kBeat;  ///< storage may be slow
constexpr double kFreshSeconds = 60;   ///< the clocks of hosts may differ, too
constexpr auto kLook = std::chrono::milliseconds(20);
constexpr int kLooks = 100;  ///< until the owner has written who it is, which it does once it has the lock

std::string slurm_job() {
  const char* job = std::getenv("SLURM_JOB_ID");
  return job != nullptr ? job : "";
}

struct Owner {
  int pid = 0;
  std::string host, job, work, since;

  /// False when the text is that of a dead owner, as far as this host can tell: a new owner will
  /// soon replace it.
  bool may_live() const { return pid > 0 && (host != host_name() || ::kill(pid, 0) == 0 || errno != ESRCH); }
  std::string text() const {
    if (pid <= 0) return "a process that does not say who it is";
    return fmt::format("process {} on {}{}{}{}", pid, host.empty() ? "an unknown host" : host,
                       job.empty() ? "" : ", Slurm job " + job, work.empty() ? "" : ", " + work,
                       since.empty() ? "" : " since " + since);
  }
};

Owner read_owner(const Path& lock) {
  try {
    const auto json = nlohmann::json::parse(read_plain_file(lock));
    return {json.at("pid"), json.at("host"), json.at("job"), json.value("work", ""), json.value("since", "")};
  } catch (const std::exception&) {  // it is only just starting, or has just ended
    return {};
  }
}

/// When the lock was last touched, by the storage's clock; nothing when there is no lock.
std::optional<timespec> last_beat(const Path& lock) {
  // The file is opened because that makes network file systems ask the server.
  const int file = ::open(lock.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return {};
  struct stat beat {};
  const int result = ::fstat(file, &beat);
  ::close(file);
  if (result != 0) return {};
  return beat.st_mtim;
}

enum class LockState { Free, Held, Unsupported };
LockState try_lock(int descriptor, int command, short type) {
  struct flock whole {};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  if (::fcntl(descriptor, command, &whole) != 0)
    return errno == EAGAIN || errno == EACCES ? LockState::Held : LockState::Unsupported;
  return command == F_OFD_GETLK && whole.l_type != F_UNLCK ? LockState::Held : LockState::Free;
}

bool same_file(int descriptor, const Path& path) {
  struct stat open {
  }, named{};
  return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

}  // namespace

FolderLock::FolderLock(const Path& folder, LockConfig config)
    : FolderLock(folder, std::move(config), Wait::Yes) {
  if (!taken_)
    throw Unresumable(
        fmt::format("{} {} belongs to another job that is still alive: {}. "
                    "Wait until it ends, stop it, or {}",
                    config_.thing, (config_.place.empty() ? folder_ : config_.place).string(), refused_by_,
                    config_.otherwise));
  failpoint("lock.taken");
}

FolderLock::FolderLock(const Path& folder, LockConfig config, Wait wait)
    : config_(std::move(config)), folder_(folder.empty() ? "." : folder), path_(folder_ / config_.name) {
  taken_ = take(wait);
  if (taken_) begin();
}

std::unique_ptr<FolderLock> FolderLock::beside(const Path& path, LockConfig config) {
  const Path whole = path.has_filename() ? path : path.parent_path();  // "faces/" is "faces"
  config.name = whole.filename().string() + ".lock";
  config.place = whole;
  return std::make_unique<FolderLock>(whole.parent_path(), std::move(config));
}

std::unique_ptr<FolderLock> FolderLock::if_free(const Path& folder, LockConfig config) {
  std::unique_ptr<FolderLock> lock(new FolderLock(folder, std::move(config), Wait::No));
  return lock->taken_ ? std::move(lock) : nullptr;
}

/// False when its folder has just vanished, removed at its end by an owner that had created it.
bool FolderLock::open_or_make() {
  if (!std::filesystem::is_directory(folder_)) {
    make_folders(real_files(), folder_);
    made_folder_ = true;
  }
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  descriptor_ = ::open(path_.c_str(), flags | O_CREAT | O_EXCL, 0666);
  made_file_ = descriptor_ >= 0;
  if (descriptor_ < 0 && errno == EEXIST) descriptor_ = ::open(path_.c_str(), flags);
  if (descriptor_ < 0 && errno != ENOENT)
    throw FileError("opening " + path_.string() + ": " + std::strerror(errno), errno);
  return descriptor_ >= 0;
}

bool FolderLock::take(Wait wait) {
  const auto deadline = std::chrono::steady_clock::now() + config_.for_own_job;
  for (int looks = 0;;) {
    if (!open_or_make()) {
      if (++looks == kLooks)
        throw FileError("opening " + path_.string() + ": its folder keeps disappearing", ENOENT);
      continue;
    }
    LockState state = try_lock(descriptor_, F_OFD_SETLK, F_WRLCK);
    if (state == LockState::Unsupported) {
      if (!made_file_)
        spdlog::warn(
            "{} cannot be locked ({}): watching its heartbeat for up to {} s to see whether another job works there",
            path_.string(), std::strerror(errno), std::chrono::seconds(kPatience).count());
      state = !made_file_ && beats(path_, kPatience) ? LockState::Held : LockState::Free;
    }
    // A lock file that its owner has since removed, when it ended, belongs to nobody.
    if (state == LockState::Free && same_file(descriptor_, path_)) return true;
    const Owner owner = state == LockState::Held ? read_owner(path_) : Owner{};
    const bool of_own_job = !owner.job.empty() && owner.job == slurm_job();
    if (state == LockState::Held && of_own_job && config_.from_own_job) {
      spdlog::warn("{} is still held by an earlier start of job {}: taking it over", path_.string(),
                   owner.job);
      return true;
    }
    ::close(std::exchange(descriptor_, -1));
    if (state == LockState::Held) {
      const bool known = owner.may_live() || ++looks >= kLooks;
      const bool ends_soon = of_own_job && std::chrono::steady_clock::now() < deadline;
      if (wait == Wait::No || (known && !ends_soon)) {
        refused_by_ = owner.text();  // now, because it may end and its text vanish before this is reported
        return false;
      }
      std::this_thread::sleep_for(kLook);
    }
  }
}

void FolderLock::begin() {
  own_text_ = nlohmann::ordered_json{{"host", host_name()},
                                     {"pid", ::getpid()},
                                     {"job", slurm_job()},
                                     {"work", config_.work},
                                     {"since", utc_text(epoch_seconds())},
                                     {"start", std::random_device()()}}
                  .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
              "\n";
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, own_text_.data(), own_text_.size(), 0) < 0)
    spdlog::warn("could not write the owner's name into {}: {}", path_.string(), std::strerror(errno));
  beating_ = std::thread([this] { beat(); });
}

/// Called before the lock is released, so that whoever has opened the file meanwhile looks again. Does
/// nothing when another start has taken the lock over, or when the one that it was taken from is still there.
void FolderLock::remove_own() const noexcept {
  try {
    if (try_lock(descriptor_, F_OFD_SETLK, F_WRLCK) != LockState::Held && same_file(descriptor_, path_) &&
        read_plain_file(path_) == own_text_)
      ::unlink(path_.c_str());
  } catch (const std::exception&) {  // nobody can read it: it stays, like that of a dead owner
  }
}

FolderLock::~FolderLock() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  changed_.notify_all();
  if (beating_.joinable()) beating_.join();
  if (taken_) remove_own();
  if (descriptor_ >= 0) ::close(descriptor_);
  if (made_folder_) ::rmdir(folder_.c_str());  // only when it is empty
}

/// Touches the lock; after taking it over, also tries to get it from a start that is still dying.
void FolderLock::beat() {
  std::unique_lock lock(mutex_);
  while (!end_) {
    lock.unlock();
    try_lock(descriptor_, F_OFD_SETLK, F_WRLCK);
    ::futimens(descriptor_, nullptr);
    lock.lock();
    changed_.wait_for(lock, kBeat, [&] { return end_; });
  }
}

bool FolderLock::held(const Path& lock_file) {
  const int descriptor = ::open(lock_file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return false;
  const LockState state = try_lock(descriptor, F_OFD_GETLK, F_WRLCK);
  ::close(descriptor);
  if (state != LockState::Unsupported) return state == LockState::Held;
  const auto last = last_beat(lock_file);
  return last && static_cast<double>(epoch_seconds() - last->tv_sec) < kFreshSeconds;
}

bool FolderLock::beats(const Path& lock_file, std::chrono::milliseconds patience) {
  const auto first = last_beat(lock_file);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (first && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::min(patience, std::chrono::milliseconds(500)));
    const auto now = last_beat(lock_file);
    if (!now) return false;  // its owner has ended meanwhile
    if (now->tv_sec != first->tv_sec || now->tv_nsec != first->tv_nsec) return true;
  }
  return false;
}

std::string FolderLock::owner(const Path& lock_file) { return read_owner(lock_file).text(); }

std::optional<int> FolderLock::owner_here(const Path& lock_file) {
  const Owner owner = read_owner(lock_file);
  if (owner.host != host_name() || !owner.may_live() || !held(lock_file)) return {};
  return owner.pid;
}

}  // namespace facemae

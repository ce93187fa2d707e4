#include "trainer/run_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/clock.h"
#include "core/error.h"
#include "core/host.h"
#include "core/log.h"
#include "trainer/lenient_json.h"

namespace facemae {
namespace {

std::string slurm_job() {
  const char* job = std::getenv("SLURM_JOB_ID");
  return job != nullptr ? job : "";
}

/// The owner's own words; an owner that is only just starting has none yet.
nlohmann::json owner_of(const Path& lock) {
  const auto owner = nlohmann::json::parse(read_plain_file(lock), nullptr, false);
  return owner.is_object() ? owner : nlohmann::json::object();
}

constexpr auto kBeat = std::chrono::seconds(5);
constexpr auto kPatience = 6 * kBeat;  ///< storage may be slow
constexpr double kFreshSeconds = 60;   ///< clocks of hosts may differ, too

/// When the heartbeat was touched, by the storage's clock; nothing when there is none.
std::optional<timespec> last_beat(const Path& run) {
  // Opened, because network file systems then ask the server.
  const int file = ::open((run / "heartbeat").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
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

}  // namespace

RunLock::RunLock(const Path& run) {
  make_folders(real_files(), run);
  const Path path = run / "lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw FileError("opening " + path.string() + ": " + std::strerror(errno), errno);
  LockState state = try_lock(descriptor_, F_OFD_SETLK, F_WRLCK);
  const auto owner = owner_of(path);
  const std::string job = value_or(owner, "job", std::string());
  if (state == LockState::Unsupported) {
    spdlog::warn(
        "{} cannot be locked ({}): whether another job trains into this run is told by its heartbeat, which "
        "is watched for up to {} s",
        path.string(), std::strerror(errno), std::chrono::seconds(kPatience).count());
    state = beats(run, kPatience) ? LockState::Held : LockState::Free;
  }
  const bool take_over = state == LockState::Held && !job.empty() && job == slurm_job();
  if (take_over)
    spdlog::warn("{} is still held by an earlier start of job {}: taken over", path.string(), job);
  if (state == LockState::Free || take_over) {
    const std::string own =
        nlohmann::ordered_json{{"host", host_name()}, {"pid", ::getpid()}, {"job", slurm_job()}}.dump() +
        "\n";
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, own.data(), own.size(), 0) < 0)
      spdlog::warn("could not note the owner in {}: {}", path.string(), std::strerror(errno));
    beating_ = std::thread([this, heartbeat = run / "heartbeat"] { beat(heartbeat); });
    return;
  }
  ::close(descriptor_);
  throw Unresumable(fmt::format(
      "the run {} belongs to another job that is still alive: process {} on {}{}. Wait for its "
      "end or stop it, or "
      "use another --run",
      run.string(), value_or(owner, "pid", 0), value_or(owner, "host", std::string("an unknown host")),
      job.empty() ? "" : ", Slurm job " + job));
}

RunLock::~RunLock() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  changed_.notify_all();
  if (beating_.joinable()) beating_.join();
  if (descriptor_ >= 0) ::close(descriptor_);
}

/// Touches the heartbeat; after taking over, also tries to get the lock that a dying start still holds.
void RunLock::beat(const Path& heartbeat) {
  std::unique_lock lock(mutex_);
  while (!end_) {
    lock.unlock();
    try_lock(descriptor_, F_OFD_SETLK, F_WRLCK);
    const int file = ::open(heartbeat.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file >= 0) {
      ::futimens(file, nullptr);
      ::close(file);
    }
    lock.lock();
    changed_.wait_for(lock, kBeat, [&] { return end_; });
  }
  ::unlink(heartbeat.c_str());
}

bool RunLock::held(const Path& run) {
  const int descriptor = ::open((run / "lock").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return false;
  const LockState state = try_lock(descriptor, F_OFD_GETLK, F_WRLCK);
  ::close(descriptor);
  if (state != LockState::Unsupported) return state == LockState::Held;
  const auto last = last_beat(run);
  return last && static_cast<double>(epoch_seconds() - last->tv_sec) < kFreshSeconds;
}

bool RunLock::beats(const Path& run, std::chrono::milliseconds patience) {
  const auto first = last_beat(run);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (first && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::min(patience, std::chrono::milliseconds(500)));
    const auto now = last_beat(run);
    if (!now) return false;  // its owner has ended meanwhile
    if (now->tv_sec != first->tv_sec || now->tv_nsec != first->tv_nsec) return true;
  }
  return false;
}

}  // namespace facemae

#include "trainer/run_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/host.h"
#include "core/log.h"

namespace facemae {
namespace {

std::string slurm_job() {
  const char* job = std::getenv("SLURM_JOB_ID");
  return job != nullptr ? job : "";
}

/// The owner's own words; an owner that is only just starting has none yet.
nlohmann::json owner_of(const Path& lock) {
  const auto owner = nlohmann::json::parse(read_file(lock), nullptr, false);
  return owner.is_object() ? owner : nlohmann::json::object();
}

}  // namespace

RunLock::RunLock(const Path& run) {
  make_folders(real_files(), run);
  const Path path = run / "lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw FileError("opening " + path.string() + ": " + std::strerror(errno), errno);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(descriptor_, F_OFD_SETLK, &whole) == 0) {
    const std::string own =
        nlohmann::ordered_json{{"host", host_name()}, {"pid", ::getpid()}, {"job", slurm_job()}}.dump() +
        "\n";
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, own.data(), own.size(), 0) < 0)
      spdlog::warn("could not note the owner in {}: {}", path.string(), std::strerror(errno));
    return;
  }
  if (errno != EAGAIN && errno != EACCES) {
    spdlog::warn("{} cannot be locked ({}): make sure that no second job trains into this run", path.string(),
                 std::strerror(errno));
    return;
  }
  const auto owner = owner_of(path);
  const std::string job = owner.value("job", "");
  if (!job.empty() && job == slurm_job()) {
    spdlog::warn("{} is still held by an earlier start of job {}: taken over", path.string(), job);
    return;
  }
  ::close(descriptor_);
  throw Unresumable(
      fmt::format("the run {} belongs to another job that is still alive: process {} on {}{}. Wait for its "
                  "end or stop it, or "
                  "use another --run",
                  run.string(), owner.value("pid", 0), owner.value("host", "an unknown host"),
                  job.empty() ? "" : ", Slurm job " + job));
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace facemae

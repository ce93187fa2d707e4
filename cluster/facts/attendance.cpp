#include "cluster/facts/attendance.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "cluster/facts/reading.h"
#include "core/error.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr auto kTouch = std::chrono::milliseconds(500);
constexpr double kStale = 5;  ///< seconds; a rank that computes still touches its sign

double touched_at(const Path& file) {
  // Opened, because that makes network file systems ask the server.
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat facts {};
  const bool known = descriptor >= 0 && ::fstat(descriptor, &facts) == 0;
  if (descriptor >= 0) ::close(descriptor);
  return known ? static_cast<double>(facts.st_mtim.tv_sec) + static_cast<double>(facts.st_mtim.tv_nsec) * 1e-9
               : -1;
}

}  // namespace

Attendance::Attendance(AttendancePlace place)
    : place_(std::move(place)), folder_(place_.folder / (".shared-doctor-" + place_.token)) {
  try {
    real_files().make_folder(folder_);
    write_whole(real_files(), sign(place_.rank), place_.host + "\n");
  } catch (const FileError&) {
    return;  // what is wrong with the folder is for its own probe to say
  }
  present_ = true;
  touching_ = std::jthread([file = sign(place_.rank)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);
      wake.wait_for(lock, stop, kTouch, [] { return false; });
    }
  });
}

Attendance::~Attendance() {
  touching_ = {};
  std::error_code unseen;
  if (present_) std::filesystem::remove(sign(place_.rank), unseen);
  std::filesystem::remove(folder_, unseen);
}

Path Attendance::sign(int rank) const { return folder_ / ("rank" + std::to_string(rank)); }

std::vector<Absent> Attendance::absent(int ranks) const {
  std::vector<Absent> all;
  const double now = touched_at(sign(place_.rank));
  for (int rank = 0; rank < ranks; ++rank) {
    const double touched = touched_at(sign(rank));
    if (rank != place_.rank && (touched < 0 || now - touched > kStale))
      all.push_back({rank, text_of(sign(rank))});
  }
  return all;
}

bool Attendance::closed() const { return present_ && touched_at(sign(place_.rank)) < 0; }

std::vector<std::string> Attendance::hosts() const {
  std::vector<std::string> hosts;
  for (const auto& name : names_in(folder_)) hosts.push_back(text_of(folder_ / name));
  return hosts;
}

void Attendance::remove() const noexcept {
  std::error_code unseen;
  std::filesystem::remove_all(folder_, unseen);
}

std::string start_token(const Environment& environment) {
  const auto job = environment("SLURM_JOB_ID"), step = environment("SLURM_STEP_ID");
  std::string start;  // of mpirun's ranks in a job, Slurm's steps differ
  for (const char* name : {"PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid", "PMI_JOBID"})
    if (start.empty()) start = environment(name).value_or("");
  if (start.empty() && job && step) start = *step;
  if (start.empty()) return "";
  std::string token = job ? *job + "." + start : start;
  std::replace_if(
      token.begin(), token.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-'; }, '_');
  return token;
}

}  // namespace facemae

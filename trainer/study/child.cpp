#include "trainer/study/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <thread>

#include "core/error.h"
#include "core/signals.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX declares it in no header

namespace facemae {
namespace {

constexpr std::array<std::string_view, 16> kOfLaunchers = {
    "OMPI_",         "PMIX_",       "PMI_",  "PALS_",         "ALPS_",         "FLUX_TASK_",
    "FLUX_JOB_SIZE", "JSM_",        "MV2_",  "MPI_",          "SLURM_PROCID=", "SLURM_STEP",
    "LOCAL_RANK=",   "WORLD_SIZE=", "RANK=", "SLURM_LOCALID="};

bool starts_with_any(std::string_view text) {
  return std::any_of(kOfLaunchers.begin(), kOfLaunchers.end(),
                     [&](std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; });
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// In the new process: only calls that are safe after a fork of a process with threads. Tells errno through `told`.
[[noreturn]] void become(char* const* words, char* const* environment, const char* folder, int log, int told,
                         pid_t parent, const CoreMask& cores) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before that took effect
  if (cores.any()) bind_to_cores(cores);  // where that is refused, it is as slow as without
  if (::chdir(folder) == 0 && ::dup2(log, STDOUT_FILENO) >= 0 && ::dup2(log, STDERR_FILENO) >= 0) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
    ::execvpe(words[0], words, environment);
  }
  const int reason = errno;
  if (::write(told, &reason, sizeof reason) < 0) ::_exit(126);
  ::_exit(127);
}

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/// Waits for the child, and hands on a notice once.
int wait_for(pid_t child) {
  constexpr auto kPause = std::chrono::milliseconds(20);
  bool noticed = false;
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return code_of(status);
    if (ended < 0 && errno != EINTR) throw FileError("waiting for a command of the study", errno);
    if (!noticed && notice_received() != 0) {
      noticed = true;
      ::kill(child, SIGUSR2);
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

std::vector<std::string> child_environment(const std::vector<std::string>& all,
                                           const std::vector<std::string>& instead) {
  const bool launched = std::any_of(all.begin(), all.end(), [](const std::string& entry) {
    return entry.rfind("OMPI_COMM_WORLD_RANK=", 0) == 0 || entry.rfind("PMIX_RANK=", 0) == 0;
  });
  std::vector<std::string> kept;
  for (const auto& entry : all) {
    // Settings of the user's, for a launcher of the command's own; mpirun puts others of the kind into its ranks.
    const bool setting =
        entry.rfind("OMPI_ALLOW_RUN_AS_ROOT", 0) == 0 ||
        (!launched && (entry.rfind("OMPI_MCA_", 0) == 0 || entry.rfind("PMIX_MCA_", 0) == 0));
    const bool replaced = std::any_of(instead.begin(), instead.end(), [&](const std::string& other) {
      return entry.substr(0, entry.find('=')) == other.substr(0, other.find('='));
    });
    if (!replaced && (setting || !starts_with_any(entry))) kept.push_back(entry);
  }
  kept.insert(kept.end(), instead.begin(), instead.end());
  return kept;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

int run_child(const ChildCommand& command) {
  std::vector<std::string> words = command.words,
                           environment = child_environment(own_environment(), command.share.environment);
  const auto arguments = pointers(words), variables = pointers(environment);
  const int log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0)
    throw FileError("opening the log " + command.log.string() + ": " + std::strerror(errno), errno);
  std::array<int, 2> told{};
  if (::pipe2(told.data(), O_CLOEXEC) != 0) {
    const int reason = errno;
    ::close(log);
    throw FileError(std::string("starting a command of the study: ") + std::strerror(reason), reason);
  }
  const pid_t parent = ::getpid(), child = ::fork();
  if (child == 0)
    become(arguments.data(), variables.data(), command.folder.c_str(), log, told[1], parent,
           command.share.cores);
  int reason = child < 0 ? errno : 0;
  ::close(log);
  ::close(told[1]);
  if (child > 0 && ::read(told[0], &reason, sizeof reason) < 0) reason = errno;  // nothing once it has begun
  ::close(told[0]);
  if (reason != 0) {
    if (child > 0) ::waitpid(child, nullptr, 0);
    throw FileError(
        "starting " + command.words.front() + " in " + command.folder.string() + ": " + std::strerror(reason),
        reason);
  }
  return wait_for(child);
}

}  // namespace facemae

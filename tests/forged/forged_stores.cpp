// Stores from somebody else: CASES forged ones are described, verified, staged, opened, split, compacted and
// trained on. None may crash, hang, or take memory that its files do not justify.
//
// usage: forged_stores CASES [FIRST]     tries the cases FIRST (0), FIRST + 1, ...; the same number is the
// same
//                                        store on every machine
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "core/log.h"
#include "tests/forged/forge.h"
#include "tests/forged/use_store.h"
#include "tests/temporary_folder.h"

namespace facemae::forged {
namespace {

constexpr std::uint64_t kCasesOfAChild = 50;
constexpr unsigned kMostSeconds = 120;  ///< of a case, on a machine with other work
constexpr rlim_t kMostBytes = rlim_t{4}
                              << 30;     ///< of address space, beside what the program has at the start
constexpr long kMostResidentMib = 1024;  ///< of a child that has tried many of them, LibTorch with it

/// Seen by the parent too.
struct Progress {
  std::uint64_t next = 0;  ///< the case that is being tried, or will be
  Reached reached;
  bool threw = false;
  char fault[4000] = "";
};

void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__)
  std::ifstream sizes("/proc/self/statm");
  rlim_t pages = 0;
  sizes >> pages;
  const rlim_t most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kMostBytes;
  const rlimit limit{most, most};
  ::setrlimit(RLIMIT_AS, &limit);
#endif
}

Draws draws_of(std::uint64_t number) { return Draws(mix(number) ^ 0xF0F6EDULL); }

void try_case(const Files& good, std::uint64_t number, const Train& train, Progress& progress) {
  const test::TemporaryFolder here;
  Files files = good;
  Draws draws = draws_of(number);
  const std::string done = forge(files, draws, here.path());
  std::snprintf(progress.fault, sizeof progress.fault, "%s", done.c_str());
  write_sealed(files, here.path());
  // Any of them: a view leads to the others.
  const Path store = here / kFolders[draws.below(std::size(kFolders))];
  try {
    use_store(store, here / "out", train, progress.reached);
  } catch (const std::exception& error) {
    std::snprintf(progress.fault, sizeof progress.fault, "%s; %s: %s", done.c_str(), store.c_str(),
                  error.what());
    progress.threw = true;
  }
}

[[noreturn]] void child(const Files& good, std::uint64_t end, const Train& train, std::uint64_t every,
                        Progress& progress) {
  limit_memory();
  while (progress.next < end && !progress.threw) {
    ::alarm(kMostSeconds);
    try_case(good, progress.next, progress.next % every == 0 ? train : Train(), progress);
    if (!progress.threw) ++progress.next;
  }
  std::_Exit(progress.threw ? 1 : 0);
}

int run(std::uint64_t cases, std::uint64_t first, std::uint64_t every) {
  spdlog::set_level(std::getenv("FACEMAE_FORGED_LOG") != nullptr ? spdlog::level::info : spdlog::level::off);
  const test::TemporaryFolder here;
  const Files good = original(here.path());
  const Train train = training();
  auto* progress =
      new (::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
          Progress;
  progress->next = first;
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t faults = 0;
  long peak_kib = 0;
  while (progress->next < first + cases) {
    const std::uint64_t end = std::min(first + cases, progress->next + kCasesOfAChild);
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) child(good, end, train, every, *progress);
    int status = 0;
    rusage used{};
    ::wait4(pid, &status, 0, &used);
    peak_kib = std::max(peak_kib, used.ru_maxrss);
    if (status == 0) continue;
    ++faults;
    std::printf(
        "case %llu: %s %d: %s\n", static_cast<unsigned long long>(progress->next),
        WIFSIGNALED(status) ? (WTERMSIG(status) == SIGALRM ? "hung, signal" : "crashed, signal") : "exit",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), progress->fault);
    progress->threw = false;
    ++progress->next;
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  const Reached& reached = progress->reached;
  std::printf(
      "%llu forged stores in %.0f s: %d described, %d verified without a fault, %d opened, %d split, %d gave a batch, %d trained on; "
      "%llu faults; %ld MiB at most\n",
      static_cast<unsigned long long>(cases), spent.count(), reached.described, reached.verified,
      reached.opened, reached.split, reached.batches, reached.trained,
      static_cast<unsigned long long>(faults), peak_kib >> 10);
  // Forgeries that are all refused at once would prove little.
  const bool deep =
      reached.opened * 20 > static_cast<int>(cases) && reached.batches > 0 && (!train || reached.trained > 0);
  if (!deep) std::printf("too few of them came far enough\n");
  const bool small = peak_kib >> 10 <= kMostResidentMib;
  if (!small) std::printf("more than %ld MiB\n", kMostResidentMib);
  return faults == 0 && deep && small ? 0 : 1;
}

}  // namespace
}  // namespace facemae::forged

int main(int count, char** words) {
  if (count < 2 || count > 4) {
    std::fprintf(stderr, "usage: forged_stores CASES [FIRST [EVERY]]\n");
    return 2;
  }
  const auto number = [&](int at) { return std::strtoull(words[at], nullptr, 10); };
  return facemae::forged::run(number(1), count > 2 ? number(2) : 0,
                              count > 3 ? std::max<std::uint64_t>(1, number(3)) : 1);
}

#include "core/host.h"

#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <fstream>

namespace facemae {

CoreMask own_cores() { return cores_of_process(0); }

CoreMask cores_of_process(int process) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CoreMask mask;
  if (sched_getaffinity(process, sizeof set, &set) == 0)
    for (std::size_t core = 0; core < mask.size(); ++core) mask[core] = CPU_ISSET(core, &set);
  return mask;
}

bool bind_to_cores(const CoreMask& cores) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (std::size_t core = 0; core < cores.size(); ++core)
    if (cores[core]) CPU_SET(core, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

int available_cores() { return std::max(1, static_cast<int>(own_cores().count())); }

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

int launched_rank() {
  for (const char* name :
       {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "MV2_COMM_WORLD_RANK", "PALS_RANKID", "PMI_RANK"})
    if (const char* rank = std::getenv(name); rank != nullptr) return std::atoi(rank);
  return 0;
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

void allow_open_files(std::uint64_t files) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= files) return;
  limit.rlim_cur = std::min<rlim_t>(files, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);  // if this fails, opening a file will say what is wrong
}

void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);              // large blocks come from the heap, too
  mallopt(M_TRIM_THRESHOLD, INT_MAX);  // which is not returned before 2 GiB are free at its end
}

}  // namespace facemae

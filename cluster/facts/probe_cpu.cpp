// Which cores this process and its threads may use, how much of their time, and what they are.
#include <algorithm>
#include <set>

#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"
#include "core/text.h"

namespace facemae {
namespace {

std::vector<int> cores_of_status(const Path& status) {
  return core_list(value_in(lines_of(status), "Cpus_allowed_list"));
}

/// Threads that have fewer cores than the process, one of each name and set.
std::vector<ThreadPlace> narrow_threads(const Machine& machine, const std::vector<int>& cores) {
  std::vector<ThreadPlace> threads;
  std::set<std::pair<std::string, std::vector<int>>> known;
  for (const auto& task : names_in(machine.at("/proc/self/task"))) {
    const Path folder = machine.at("/proc/self/task") / task;
    const auto own = cores_of_status(folder / "status");
    const std::string name = text_of(folder / "comm");
    if (own.empty() || own.size() >= cores.size() || !known.insert({name, own}).second) continue;
    threads.push_back({name, own});
  }
  return threads;
}

/// Cores' worth of time, -1 without a limit.
double quota_of(const Machine& machine) {
  double least = -1;
  for (const auto& folder : control_groups(machine, "cpu")) {
    double quota = -1, period = 0;
    if (const auto both = split(text_of(folder / "cpu.max"), ' '); both.size() == 2) {
      quota = static_cast<double>(leading_number(both[0]).value_or(-1));
      period = static_cast<double>(leading_number(both[1]).value_or(0));
    } else {
      quota = static_cast<double>(number_of(folder / "cpu.cfs_quota_us").value_or(-1));
      period = static_cast<double>(number_of(folder / "cpu.cfs_period_us").value_or(0));
    }
    if (quota > 0 && period > 0) least = least < 0 ? quota / period : std::min(least, quota / period);
  }
  return least;
}

std::vector<int> allowed_cores(const Machine& machine) {
  for (const auto& folder : control_groups(machine, "cpuset"))
    for (const char* name : {"cpuset.cpus.effective", "cpuset.effective_cpus"})
      if (auto cores = core_list(text_of(folder / name)); !cores.empty()) return cores;
  return core_list(text_of(machine.at("/sys/devices/system/cpu/online")));
}

std::string model_of(const std::vector<std::string>& info) {
  if (auto model = value_in(info, "model name"); !model.empty()) return model;
  // Arm's kernels tell numbers only.
  const auto implementer = value_in(info, "CPU implementer"), part = value_in(info, "CPU part");
  return part.empty() ? value_in(info, "cpu") : "implementer " + implementer + ", part " + part;
}

}  // namespace

CpuPlace probe_cpu(const Machine& machine) {
  CpuPlace cpu;
  cpu.cores = cores_of_status(machine.at("/proc/self/status"));
  cpu.allowed = allowed_cores(machine);
  for (const int core : cpu.cores) {
    const auto siblings = core_list(text_of(machine.at("/sys/devices/system/cpu/cpu" + std::to_string(core)) /
                                            "topology/thread_siblings_list"));
    cpu.physical.push_back(siblings.empty() ? core : siblings.front());
  }
  cpu.threads = narrow_threads(machine, cpu.cores);
  cpu.quota = quota_of(machine);
  const auto info = lines_of(machine.at("/proc/cpuinfo"));
  cpu.model = model_of(info);
  std::string flags = value_in(info, "flags");
  if (flags.empty()) flags = value_in(info, "Features");
  const auto all = split(flags, ' ');
  for (const char* level : {"avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16"})
    if (std::find(all.begin(), all.end(), level) != all.end()) cpu.levels.emplace_back(level);
  return cpu;
}

}  // namespace facemae

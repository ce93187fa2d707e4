// Which cores the ranks have, and of what kind.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "cluster/doctor/checks.h"
#include "cluster/facts/reading.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr double kFairShare = 0.75;  ///< of the cores that a rank could have

/// Cores of the job on the node, and those that ranks are bound to.
struct NodeCores {
  std::set<int> allowed, bound;
};
NodeCores cores_of(const std::vector<const Facts*>& node) {
  NodeCores cores;
  for (const Facts* rank : node) {
    cores.allowed.insert(rank->cpu.allowed.begin(), rank->cpu.allowed.end());
    cores.bound.insert(rank->cpu.cores.begin(), rank->cpu.cores.end());
  }
  cores.allowed.insert(cores.bound.begin(), cores.bound.end());
  return cores;
}

void judge_mask(const Gathered& all, Lines& lines) {
  if (!all.absent.empty()) return;  // shares would seem larger than they are
  for (const auto& node : all.nodes()) {
    const std::size_t share = cores_of(node).allowed.size() / node.size();
    for (const Facts* rank : node) {
      const std::size_t own = rank->cpu.cores.size();
      if (own == 0) continue;
      Finding* line = nullptr;
      if (own == 1 && share > 1)
        line = &lines.problem({rank->host},
                              fmt::format("a rank is bound to one core, where it could have {}: computing, "
                                          "loading and communicating share it",
                                          share));
      else if (static_cast<double>(own) < kFairShare * static_cast<double>(share))
        line =
            &lines.warn({rank->host},
                        fmt::format("a rank is bound to {} of the {} cores that it could have", own, share));
      if (line != nullptr) line->found = std::to_string(own), line->wanted = std::to_string(share);
      for (const auto& thread : rank->cpu.threads)
        lines.warn({rank->host},
                   fmt::format("thread {} may only use core(s) {}", thread.name, core_text(thread.cores)),
                   "unset OMP_PROC_BIND OMP_PLACES GOMP_CPU_AFFINITY KMP_AFFINITY");
    }
  }
  if (!all.first().cpu.cores.empty())
    lines.ok(fmt::format("rank 0 may use core(s) {}", core_text(all.first().cpu.cores)));
}

void judge_quota(const Gathered& all, Lines& lines) {
  bool known = false;
  for (const auto& node : all.nodes()) {
    const double quota = node.front()->cpu.quota;
    const auto bound = static_cast<double>(cores_of(node).bound.size());
    known = known || quota >= 0;
    if (quota < 0 || quota + 0.01 >= bound) continue;
    auto& line = lines.warn(
        {node.front()->host},
        fmt::format("the control group gives the time of {:.4g} cores, while the ranks see {:g}: they "
                    "are halted in between",
                    quota, bound));
    line.found = fmt::format("{:.4g}", quota);
    line.wanted = fmt::format("{:g}", bound);
  }
  if (known) lines.ok("as much time as cores");
}

void judge_shared(const Gathered& all, Lines& lines) {
  for (const auto& node : all.nodes()) {
    if (node.size() < 2) continue;
    std::map<int, int> users;              // of each core
    std::map<int, std::set<int>> of_core;  // ranks on each physical core
    bool equal = true;
    for (const Facts* rank : node) {
      equal = equal && rank->cpu.cores == node.front()->cpu.cores;
      for (const int core : rank->cpu.cores) ++users[core];
      for (const int core : rank->cpu.physical) of_core[core].insert(rank->rank);
    }
    const bool overlap =
        std::any_of(users.begin(), users.end(), [](const auto& core) { return core.second > 1; });
    const bool siblings =
        std::any_of(of_core.begin(), of_core.end(), [](const auto& one) { return one.second.size() > 1; });
    const std::size_t threads = std::max<std::size_t>(1, users.size() / node.size());
    if (equal) {
      lines.note(fmt::format("the ranks of a node share {} cores: {} thread(s) each", users.size(), threads));
    } else if (overlap) {
      lines.warn({node.front()->host},
                 "masks of ranks overlap in part: some cores have more to do than others");
    } else if (siblings) {
      lines.warn(
          {node.front()->host}, "ranks are bound to hyperthreads of the same physical core",
          "bind to cores, not to hyperthreads: mpirun --map-by slot:PE=N --bind-to core; srun --hint=nomultithread");
    } else {
      lines.ok("each rank has cores of its own");
    }
  }
}

void judge_models(const Gathered& all, Lines& lines) {
  std::map<std::string, std::vector<std::string>> hosts;
  for (const Facts& rank : all.ranks)
    hosts[rank.cpu.model + " (" + join(rank.cpu.levels, " ") + ")"].push_back(rank.host);
  if (all.first().cpu.model.empty()) return;
  if (hosts.size() == 1) return lines.ok(hosts.begin()->first);
  const auto most = std::max_element(hosts.begin(), hosts.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  for (const auto& [model, of_model] : hosts)
    if (model != most->first) {
      auto& line = lines.warn(of_model, fmt::format("has {}, others have {}", model, most->first));
      line.found = model;
      line.wanted = most->first;
    }
}

constexpr std::array kCpuChecks = {
    Check{"cpu.mask", "Cpus_allowed_list of the process and of its threads, against the cores of the job",
          "a fair share", "less than 3/4 of the share, or a thread with fewer cores than its process",
          "one core, where there are more",
          "mpirun --bind-to none, or --map-by slot:PE=N; srun --cpus-per-task=N --cpu-bind=cores", false,
          true, judge_mask},
    Check{"cpu.quota", "cpu.max up the tree of control groups", "as many cores' time as the masks have",
          "less", "", "ask for as many cpus as ranks x threads (Slurm: --cpus-per-task; containers: --cpus)",
          false, true, judge_quota},
    Check{"cpu.shared", "masks of the ranks of a node, thread_siblings_list",
          "apart; a note when all are equal", "they overlap in part, or are hyperthreads of one core", "",
          "bind all ranks alike: mpirun --bind-to none, or --map-by slot:PE=N", false, true, judge_shared},
    Check{"cpu.models", "/proc/cpuinfo of all nodes", "one model",
          "several: --exact may give other bits, the slowest sets "
          "the pace",
          "", "ask for nodes of one kind: #SBATCH --constraint=FEATURE", false, true, judge_models},
};

}  // namespace

std::span<const Check> cpu_checks() { return kCpuChecks; }

}  // namespace facemae

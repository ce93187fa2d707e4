// Whether the ranks are one world, and fit to talk to each other.
#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "cluster/doctor/checks.h"
#include "cluster/host/mpi_vendor.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr int kThreadsMultiple = 3;  ///< order of MPI_THREAD_SINGLE, FUNNELED, SERIALIZED, MULTIPLE

/// The plugins of srun that start ranks of this vendor's libraries, the best first.
std::vector<std::string> plugins_for(MpiVendor vendor) {
  switch (vendor) {
    case MpiVendor::Unknown:
      return {};
    case MpiVendor::OpenMpi:
      return {"pmix"};
    case MpiVendor::Cray:
      return {"cray_shasta", "pmi2", "pmix"};
    default:
      return {"pmi2", "pmix"};
  }
}

/// The ranks have found each other, or the program was started alone on purpose.
bool one_world(const Gathered& all) {
  const auto& mpi = all.first().mpi;
  return mpi.fault.empty() && (mpi.said <= 1 || mpi.size == mpi.said);
}

void judge_answers(const Gathered& all, Lines& lines) {
  for (const auto& absent : all.absent)
    lines
        .problem(absent.host.empty() ? std::vector<std::string>{} : std::vector{absent.host},
                 absent.host.empty()
                     ? absent.rank < 0
                           ? "a rank does not answer, and nothing tells which"
                           : fmt::format("rank {} has not come, and left no sign of its host", absent.rank)
                     : "does not answer: a process there is stopped, or the node is cut off")
        .of_node = true;
  if (all.absent.empty() && all.ranks.size() > 1)
    lines.ok(fmt::format("all {} ranks answer", all.ranks.size()));
}

void judge_library(const Gathered& all, Lines& lines) {
  for (const Facts& rank : all.ranks) {
    const MpiVendor built = vendor_of(rank.mpi.built_for), loaded = vendor_of(rank.mpi.library);
    if (built == MpiVendor::Unknown || loaded == MpiVendor::Unknown || built == loaded) continue;
    auto& line = lines.problem({rank.host}, fmt::format("facemae was built with {}, but loads {} ({})",
                                                        rank.mpi.built_for, rank.mpi.library, rank.mpi.path));
    line.found = rank.mpi.library;
    line.wanted = rank.mpi.built_for;
    return;
  }
  if (!all.first().mpi.library.empty())
    lines.ok(fmt::format("{} ({})", all.first().mpi.library, all.first().mpi.path));
}

void judge_world(const Gathered& all, Lines& lines) {
  const auto& mpi = all.first().mpi;
  if (one_world(all)) {
    if (mpi.size > 1) lines.ok(fmt::format("{} ranks are one world", mpi.size));
    return;
  }
  if (!mpi.fault.empty() && mpi.threads >= 0 && mpi.threads < kThreadsMultiple)
    return;  // told by mpi.threads
  auto& line = lines.problem(
      {}, mpi.fault.empty()
              ? fmt::format("the launcher speaks of {} processes, but MPI of {}", mpi.said, mpi.size)
              : mpi.fault);
  line.found = std::to_string(mpi.size);
  line.wanted = mpi.said > 0 ? std::to_string(mpi.said) : "";
}

void judge_threads(const Gathered& all, Lines& lines) {
  const auto& mpi = all.first().mpi;
  if (mpi.threads < 0) return;
  if (mpi.threads >= kThreadsMultiple) return lines.ok("MPI_THREAD_MULTIPLE");
  constexpr std::array kNames = {"MPI_THREAD_SINGLE", "MPI_THREAD_FUNNELED", "MPI_THREAD_SERIALIZED"};
  auto& line = lines.problem(
      {}, fmt::format("{} gives {} only", mpi.library, kNames[static_cast<std::size_t>(mpi.threads)]),
      thread_remedy(vendor_of(mpi.library)));
  line.found = kNames[static_cast<std::size_t>(mpi.threads)];
  line.wanted = "MPI_THREAD_MULTIPLE";
}

void judge_plugins(const Gathered& all, Lines& lines) {
  const auto& slurm = all.first().slurm;
  const MpiVendor vendor = vendor_of(all.first().mpi.library);
  const auto known = plugins_for(vendor);
  if (slurm.plugins.empty() || known.empty()) return;
  const auto fits = [&](const std::string& plugin) {
    return std::any_of(known.begin(), known.end(),
                       [&](const std::string& name) { return plugin.starts_with(name); });
  };
  const auto fitting = std::find_if(slurm.plugins.begin(), slurm.plugins.end(), fits);
  const auto preset = slurm.config.find("MpiDefault");
  const std::string standard = preset == slurm.config.end() ? "" : preset->second;
  if (all.ranks.size() > 1 && one_world(all)) return lines.ok("the ranks were started as they should be");
  if (fitting == slurm.plugins.end()) {
    auto& line = lines.problem({}, fmt::format("srun has {}, none of which starts ranks of {}",
                                               join(slurm.plugins, ", "), name_of(vendor)));
    line.found = join(slurm.plugins, ", ");
    line.wanted = join(known, ", ");
    return;
  }
  if (fits(standard)) return lines.ok("srun starts ranks by " + standard);
  lines.warn({},
             fmt::format("srun takes {} unless told otherwise, by which ranks of {} do not start",
                         standard.empty() ? "no plugin" : standard, name_of(vendor)),
             fmt::format("srun --mpi={} facemae ...", *fitting));
}

void judge_pmix(const Gathered& all, Lines& lines) {
  const auto& mpi = all.first().mpi;
  const auto& slurm = all.first().slurm;
  if (mpi.launcher != "srun" || mpi.pmix.empty()) return;
  const auto fence = slurm.config.find("PMIxCollFence");
  const bool ring = fence != slurm.config.end() && fence->second == "ring";
  if (slurm.version.starts_with("22.05") && all.multi_node() && !ring)
    lines.warn({},
               fmt::format(
                   "Slurm {} lets ranks leave PMIx fences early: 2 to 5 % of launches on several nodes crash",
                   slurm.version));
  for (const Facts& rank : all.ranks)
    if (!rank.software.container.empty() && rank.mpi.security.find("munge") != std::string::npos &&
        !rank.mpi.munge)
      lines.warn({rank.host}, "PMIx is to use munge, whose socket is not in the container",
                 "export PMIX_MCA_psec=native, or bind /run/munge");
  lines.ok("PMIx " + mpi.pmix);
}

void judge_namespaces(const Gathered& all, Lines& lines) {
  bool several = false;
  for (const auto& node : all.nodes()) {
    std::set<std::string> users, ipcs;
    for (const Facts* rank : node) users.insert(rank->mpi.user_ns), ipcs.insert(rank->mpi.ipc_ns);
    several = several || node.size() > 1;
    if (ipcs.size() > 1) {
      lines.problem({node.front()->host},
                    "each rank has an IPC namespace of its own: they cannot share memory",
                    "start containers with --ipc=host, or one container for all ranks of a node");
    } else if (users.size() > 1) {
      lines.warn({node.front()->host},
                 "each rank has a user namespace of its own: copies from process to process fail");
    }
  }
  if (several) lines.ok("ranks of a node share their namespaces");
}

void judge_idle(const Gathered& all, Lines& lines) {
  for (const auto& node : all.nodes()) {
    std::set<int> cores;
    bool yields = true;
    for (const Facts* rank : node) {
      cores.insert(rank->cpu.cores.begin(), rank->cpu.cores.end());
      yields = yields && rank->mpi.yields;
    }
    if (cores.empty() || node.size() <= cores.size() || yields) continue;
    auto& line =
        lines.warn({node.front()->host},
                   fmt::format("{} ranks have {} core(s), and those that wait do not leave theirs to others",
                               node.size(), cores.size()));
    line.found = std::to_string(cores.size());
    line.wanted = std::to_string(node.size());
  }
  if (all.ranks.size() > 1) lines.ok("waiting ranks are in nobody's way");
}

constexpr std::array kMpiChecks = {
    Check{"mpi.answers", "every rank, by a message and by a sign in the folder of --run", "all answer", "",
          "a rank does not within 40 s",
          "look at the node (ssh, sinfo), start without it: srun --exclude=HOST", true, false, judge_answers},
    Check{"mpi.library", "MPI_Get_library_version and dladdr(MPI_Init) against the headers", "of one make",
          "", "another make than facemae was built with",
          "load the module of the MPI that facemae was built with", false, false, judge_library},
    Check{"mpi.world", "MPI_Comm_size against what the launcher says", "equal", "",
          "each process is a world of its own, or MPI does not start",
          "start by the mpirun of the MPI that facemae was built with, or by srun --mpi=pmix", false, false,
          judge_world},
    Check{"mpi.threads", "MPI_Query_thread", "MPI_THREAD_MULTIPLE", "", "less",
          "export MPICH_MAX_THREAD_SAFETY=multiple (Cray), or use an MPI with thread support", false, false,
          judge_threads},
    Check{"mpi.plugins", "srun --mpi=list and MpiDefault, unless the ranks are one world already",
          "the default fits the library", "another one fits", "none fits",
          "start by mpirun within the allocation: salloc -N 2 mpirun facemae ...", false, false,
          judge_plugins},
    Check{"mpi.pmix", "PMIx under srun: version of Slurm, its fences, munge's socket in containers",
          "nothing known",
          "Slurm 22.05 on several nodes without fences by ring; munge asked for and not there", "",
          "export SLURM_PMIX_FENCE=ring, or PMIxCollFence=ring in mpi.conf", false, false, judge_pmix},
    Check{
        "mpi.namespaces", "/proc/self/ns of the ranks of a node", "equal", "user namespaces differ",
        "IPC namespaces differ",
        "apptainer --sharens, or export UCX_TLS=sysv,tcp,self OMPI_MCA_btl_vader_single_copy_mechanism=none",
        false, false, judge_namespaces},
    Check{"mpi.idle", "ranks of a node against the cores of their masks, mpi_yield_when_idle",
          "a core for each rank", "more ranks than cores, and those that wait spin", "",
          "export OMPI_MCA_mpi_yield_when_idle=1 (Intel MPI: I_MPI_THREAD_YIELD=2, MPICH 5: "
          "MPIR_CVAR_CH4_PROGRESS_THROTTLE=1), or start fewer ranks",
          false, true, judge_idle},
};

}  // namespace

std::span<const Check> mpi_checks() { return kMpiChecks; }

}  // namespace facemae

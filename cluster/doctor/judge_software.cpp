// Variables that change how a run works, and versions.
#include <array>
#include <map>
#include <set>

#include "cluster/doctor/checks.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

/// A variable that is worth a line, with the value that is, "" for any but the harmless one.
struct OddVariable {
  const char *name, *value, *harmless, *effect;
};
constexpr std::array<OddVariable, 16> kOddVariables = {{
    {"LD_PRELOAD", "", "", "puts a library before all others, maybe another MPI or NCCL"},
    {"NCCL_P2P_DISABLE", "1", "", "sends between GPUs of a node through the host"},
    {"NCCL_IB_DISABLE", "1", "", "keeps NCCL off InfiniBand"},
    {"NCCL_SHM_DISABLE", "1", "", "keeps NCCL off shared memory"},
    {"NCCL_SOCKET_IFNAME", "lo", "", "keeps NCCL on this node"},
    {"NCCL_ALGO", "", "", "fixes NCCL's algorithm"},
    {"NCCL_PROTO", "", "", "fixes NCCL's protocol"},
    {"OMP_PROC_BIND", "", "false", "binds threads of all ranks by one rule"},
    {"OMP_PLACES", "", "", "binds threads of all ranks by one rule"},
    {"GOMP_CPU_AFFINITY", "", "", "binds threads of all ranks to the same cores"},
    {"KMP_AFFINITY", "", "none", "binds threads of all ranks by one rule"},
    {"OMP_WAIT_POLICY", "active", "", "lets threads spin that wait"},
    {"HDF5_USE_FILE_LOCKING", "", "", "changes whether HDF5 locks files"},
    {"CUDA_LAUNCH_BLOCKING", "1", "", "waits for each kernel"},
    {"TORCH_NCCL_BLOCKING_WAIT", "1", "", "waits for each collective"},
    {"MALLOC_CHECK_", "", "0", "checks each allocation"},
}};

std::string in_lower_case(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void judge_variables(const Gathered& all, Lines& lines) {
  for (const Facts& rank : all.ranks)
    for (const auto& [name, value, harmless, effect] : kOddVariables) {
      const auto found = rank.software.odd.find(name);
      if (found == rank.software.odd.end() || found->second.empty()) continue;
      const std::string given = in_lower_case(found->second);
      if (*value != '\0' ? given != value : given == harmless) continue;
      lines.warn({rank.host}, fmt::format("{}={} {}", name, found->second, effect),
                 fmt::format("unset {}", name));
    }
  lines.ok("no variable that changes how a run works");
}

void judge_versions(const Gathered& all, Lines& lines) {
  std::map<std::string, std::set<std::string>> texts;
  for (const Facts& rank : all.ranks) {
    const auto& software = rank.software;
    std::vector<std::string> parts;
    for (const auto& part : {software.program, software.libtorch, software.hdf5, software.system,
                             software.kernel.empty() ? "" : "Linux " + software.kernel,
                             software.container.empty() ? "" : "in " + software.container})
      if (!part.empty()) parts.push_back(part);
    if (!parts.empty()) texts[join(parts, ", ")].insert(rank.host);
  }
  for (const auto& [text, hosts] : texts)
    lines.note(texts.size() == 1 ? text : join({hosts.begin(), hosts.end()}, ", ") + ": " + text);
}

constexpr std::array kSoftwareChecks = {
    Check{"env.odd", "variables of MPI, NCCL, OpenMP, HDF5, CUDA and PyTorch that change how a run works",
          "none", "some", "", "unset NAME", false, true, judge_variables},
    Check{"sw.versions", "LibTorch, HDF5, system, kernel, kind of container", "always a note", "", "", "",
          false, false, judge_versions},
};

}  // namespace

std::span<const Check> software_checks() { return kSoftwareChecks; }

}  // namespace facemae

// Drivers, GPUs and NCCL.
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

/// What PyTorch's builds for a version of CUDA need (docs.nvidia.com, CUDA Toolkit release notes, "minor version
/// compatibility"; architectures as PyTorch builds them).
struct CudaNeeds {
  int cuda;        ///< 12080 for 12.8, and later ones until the next row
  int driver;      ///< at least
  int capability;  ///< at least, 75 for 7.5
};
constexpr std::array<CudaNeeds, 3> kCudaNeeds = {{{12000, 525, 50}, {12080, 525, 70}, {13000, 580, 75}}};

CudaNeeds needs_of(int cuda) {
  CudaNeeds needs{cuda, 0, 0};
  for (const auto& row : kCudaNeeds)
    if (cuda >= row.cuda) needs = row;
  return needs;
}

bool has_gpus(const Facts& rank) { return !rank.gpu.driver.empty() || !rank.gpu.cards.empty(); }

const Card* own_card(const Facts& rank) {
  for (const auto& card : rank.gpu.cards)
    if (card.bus == rank.gpu.own) return &card;
  return nullptr;
}

bool driver_is_enough(const Facts& rank) {
  const auto version = leading_number(rank.gpu.driver);
  return !version || rank.gpu.runtime == 0 || *version >= needs_of(rank.gpu.runtime).driver;
}

void judge_driver(const Gathered& all, Lines& lines) {
  for (const Facts& rank : all.ranks) {
    if (rank.gpu.driver.empty() || rank.gpu.runtime == 0) continue;
    const int need = needs_of(rank.gpu.runtime).driver;
    if (driver_is_enough(rank)) {
      lines.ok(fmt::format("driver {}, CUDA {}.{}", rank.gpu.driver, rank.gpu.runtime / 1000,
                           rank.gpu.runtime % 1000 / 10));
      continue;
    }
    auto& line = lines.problem(
        {rank.host},
        fmt::format("driver {} is too old for CUDA {}.{} of this LibTorch, which needs {}", rank.gpu.driver,
                    rank.gpu.runtime / 1000, rank.gpu.runtime % 1000 / 10, need));
    line.found = rank.gpu.driver;
    line.wanted = std::to_string(need);
  }
}

/// What is wrong with the GPU of a rank by itself, "" when nothing is.
std::string fault_of_card(const Facts& rank, const Card& card) {
  constexpr int kProhibited = 2;
  const int capability = card.major * 10 + card.minor, need = needs_of(rank.gpu.runtime).capability;
  if (card.remap_failed) return card.bus + " has memory that could not be replaced (row remapping failed)";
  if (card.remap_pending)
    return card.bus + " waits for a reset to replace bad memory (row remapping pending)";
  if (card.mode == kProhibited) return card.bus + " is in compute mode \"prohibited\"";
  if (rank.gpu.runtime > 0 && capability > 0 && capability < need)
    return fmt::format("{} ({}, {}.{}) is older than this LibTorch supports ({}.{})", card.bus, card.name,
                       card.major, card.minor, need / 10, need % 10);
  return rank.gpu.fault;
}

void judge_devices(const Gathered& all, Lines& lines) {
  const bool any = std::any_of(all.ranks.begin(), all.ranks.end(), has_gpus);
  if (!any) return;
  for (const auto& node : all.nodes()) {
    std::map<std::string, int> users;
    bool exclusive = false, faulty = false;
    for (const Facts* rank : node) {
      const Card* card = own_card(*rank);
      std::string fault;
      if (card != nullptr) {
        ++users[card->bus];
        exclusive = exclusive || card->mode == 3;
        fault = fault_of_card(*rank, *card);
      } else if (driver_is_enough(*rank)) {
        fault = rank->gpu.driver.empty()   ? "has no GPU, while others have"
                : !rank->gpu.fault.empty() ? rank->gpu.fault
                                           : "has a driver, but ranks see no GPU";
      }
      faulty = faulty || !fault.empty();
      if (!fault.empty()) lines.problem({rank->host}, fault);
    }
    const auto most = std::max_element(users.begin(), users.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (faulty || most == users.end()) continue;
    const std::string text = fmt::format("{} ranks compute on {} GPU(s)", node.size(), users.size());
    if (most->second == 1) {
      lines.ok(text);
    } else if (exclusive) {
      lines.problem({node.front()->host}, text + ", which take one process each (compute mode \"exclusive\")",
                    "start as many ranks as GPUs on each node");
    } else {
      lines.warn({node.front()->host}, text + ": tensors go through the host",
                 "start as many ranks as GPUs on each node");
    }
  }
}

void judge_peers(const Gathered& all, Lines& lines) {
  for (const auto& node : all.nodes()) {
    const auto& gpu = node.front()->gpu;
    if (gpu.cards.size() < 2) continue;
    if (gpu.apart.empty()) {
      lines.ok("GPUs of a node reach each other");
      continue;
    }
    lines.warn({node.front()->host},
               fmt::format("{} pair(s) of GPUs do not reach each other directly, the first: {}",
                           gpu.apart.size(), gpu.apart.front()));
  }
}

void judge_numa(const Gathered& all, Lines& lines) {
  for (const Facts& rank : all.ranks) {
    const Card* card = own_card(rank);
    if (card == nullptr || card->near.empty() || rank.cpu.cores.empty()) continue;
    const bool near = std::any_of(rank.cpu.cores.begin(), rank.cpu.cores.end(), [&](int core) {
      return std::find(card->near.begin(), card->near.end(), core) != card->near.end();
    });
    if (near) {
      lines.ok("ranks are near their GPUs");
    } else {
      lines.warn({rank.host}, fmt::format("a rank on core(s) {} is far from its GPU {}, which is near {}",
                                          core_text(rank.cpu.cores), card->bus, core_text(card->near)));
    }
  }
}

void judge_nccl(const Gathered& all, Lines& lines) {
  std::map<std::string, std::vector<std::string>> versions;
  for (const Facts& rank : all.ranks) {
    if (rank.gpu.nccl_files.size() > 1)
      lines.problem({rank.host}, "several copies of NCCL are loaded: " + join(rank.gpu.nccl_files, ", "));
    if (!rank.gpu.nccl.empty()) versions[rank.gpu.nccl].push_back(rank.host);
  }
  if (versions.empty()) return;
  if (versions.size() == 1) return lines.ok(versions.begin()->first);
  const auto most = std::max_element(versions.begin(), versions.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  for (const auto& [version, hosts] : versions)
    if (version != most->first) {
      auto& line = lines.problem(hosts, fmt::format("has {}, others have {}", version, most->first));
      line.found = version;
      line.wanted = most->first;
    }
}

constexpr std::array kGpuChecks = {
    Check{"gpu.driver", "/proc/driver/nvidia/version against the CUDA that LibTorch was built for",
          "new enough", "", "CUDA 12: below 525; CUDA 13: below 580",
          "update the driver, or build with an older CUDA: scripts/setup.sh --cuda", true, false,
          judge_driver},
    Check{
        "gpu.devices",
        "the GPU of each rank: address, compute capability, compute mode, remapped rows, 1 + 1",
        "one for each rank", "several ranks on one",
        "none, one that LibTorch cannot use, one that is older than its CUDA, one that needs a reset",
        "--gpus-per-node=N --gpu-bind=none and CUDA_VISIBLE_DEVICES unset; tell the administrator of a broken one",
        true, true, judge_devices},
    Check{"gpu.peers", "cuDeviceCanAccessPeer between the GPUs of a node", "all pairs", "some pairs do not",
          "", "--gpu-bind=none; where IOMMU or ACS is on, it is for the administrator", false, true,
          judge_peers},
    Check{"gpu.numa", "numa_node of the GPU against the cores of its rank", "near", "far", "",
          "bind ranks near their GPUs: srun --cpu-bind=map_ldom:..., mpirun --map-by ppr:1:numa", false, true,
          judge_numa},
    Check{"nccl.version", "the library that each rank has loaded", "one version, one copy", "",
          "versions differ, or a process has two copies",
          "unload modules with an NCCL of their own, unset LD_PRELOAD and LD_LIBRARY_PATH", false, false,
          judge_nccl},
};

}  // namespace

std::span<const Check> gpu_checks() { return kGpuChecks; }

}  // namespace facemae

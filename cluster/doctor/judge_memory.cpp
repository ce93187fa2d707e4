// Memory, /dev/shm and limits.
#include <algorithm>
#include <array>

#include "cluster/doctor/checks.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::int64_t kMib = 1 << 20, kGib = 1 << 30;

std::string bytes_text(std::int64_t bytes) {
  return human_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, bytes)));
}
std::string limit_text(std::int64_t limit) {
  return limit == kUnlimited ? "unlimited" : std::to_string(limit);
}

/// The program with LibTorch and its loader, and what a checkpoint holds twice: as it is, and as gradients and copies.
std::int64_t memory_needed(const Gathered& all) {
  return kGib + 2 * std::max<std::int64_t>(0, all.first().run.checkpoint);
}

void judge_room(const Gathered& all, Lines& lines) {
  const std::int64_t need = memory_needed(all);
  std::int64_t least = kUnlimited;
  for (const auto& node : all.nodes()) {
    const auto& memory = node.front()->memory;
    if (memory.available < 0) continue;
    const std::int64_t room =
        (memory.limit < 0 ? memory.available : std::min(memory.limit, memory.available)) /
        static_cast<std::int64_t>(node.size());
    least = std::min(least, room);
    const std::string text =
        fmt::format("a rank has {} of memory, and needs {} or more", bytes_text(room), bytes_text(need));
    Finding* line = room < need             ? &lines.problem({node.front()->host}, text)
                    : room < need * 13 / 10 ? &lines.warn({node.front()->host}, text)
                                            : nullptr;
    if (line != nullptr) line->found = bytes_text(room), line->wanted = bytes_text(need);
  }
  if (least != kUnlimited) lines.ok(fmt::format("{} of memory for each rank", bytes_text(least)));
}

void judge_shm(const Gathered& all, Lines& lines) {
  for (const auto& node : all.nodes()) {
    const auto ranks = static_cast<std::int64_t>(node.size());
    const bool gpus = !node.front()->gpu.cards.empty();
    const std::int64_t free = node.front()->memory.shm;
    if (free < 0 || (ranks == 1 && !gpus)) continue;
    const std::int64_t wanted = ranks * 64 * kMib + (gpus ? 512 * kMib : 0);
    const std::string text = fmt::format("/dev/shm has room for {}, {} ranks want {}", bytes_text(free),
                                         ranks, bytes_text(wanted));
    Finding* line = free < ranks * 16 * kMib ? &lines.problem({node.front()->host}, text)
                    : free < wanted          ? &lines.warn({node.front()->host}, text)
                                             : nullptr;
    if (line != nullptr) line->found = bytes_text(free), line->wanted = bytes_text(wanted);
    if (line == nullptr) lines.ok("room in /dev/shm");
  }
}

void judge_leftovers(const Gathered& all, Lines& lines) {
  for (const auto& node : all.nodes()) {
    const auto& left = node.front()->memory.left;
    if (left.empty()) continue;
    std::int64_t bytes = 0;
    std::vector<std::string> names;
    for (const auto& file : left) bytes += file.bytes, names.push_back("/dev/shm/" + file.name);
    if (names.size() > 3)
      names = {"/dev/shm/" + left.front().name.substr(0, left.front().name.find_first_of(".-")) + "*"};
    lines.warn({node.front()->host},
               fmt::format("{} file(s) of {} in /dev/shm are left by processes that ended", left.size(),
                           bytes_text(bytes)),
               "rm -f " + join(names, " "));
  }
  lines.ok("nothing is left in /dev/shm");
}

void judge_memlock(const Gathered& all, Lines& lines) {
  for (const Facts& rank : all.ranks) {
    if (rank.network.ports.empty() || rank.limits.memlock < 0) continue;
    if (rank.limits.memlock == kUnlimited) {
      lines.ok("unlimited");
      continue;
    }
    auto& line = lines.warn({rank.host},
                            fmt::format("only {} of memory may be locked, which slows the fabric or ends it",
                                        bytes_text(rank.limits.memlock)));
    line.found = limit_text(rank.limits.memlock);
    line.wanted = "unlimited";
  }
}

void judge_files(const Gathered& all, Lines& lines) {
  const std::int64_t shards = std::max<std::int64_t>(0, all.first().store.shards);
  for (const Facts& rank : all.ranks) {
    if (rank.limits.files < 0) continue;
    const std::string text = fmt::format("may open {} files; a store of {} shards needs {}",
                                         rank.limits.files, shards, shards + 512);
    Finding* line = rank.limits.files < shards + 64    ? &lines.problem({rank.host}, text)
                    : rank.limits.files < shards + 512 ? &lines.warn({rank.host}, text)
                                                       : nullptr;
    if (line != nullptr)
      line->found = limit_text(rank.limits.files), line->wanted = std::to_string(shards + 512);
  }
  if (all.first().limits.files >= 0) lines.ok(limit_text(all.first().limits.files) + " files");
}

void judge_processes(const Gathered& all, Lines& lines) {
  for (const auto& node : all.nodes()) {
    const std::int64_t limit = node.front()->limits.processes;
    const auto wanted = static_cast<std::int64_t>(256 + 64 * node.size());
    if (limit < 0) continue;
    if (limit < wanted) {
      auto& line = lines.warn({node.front()->host},
                              fmt::format("this user may have {} processes and threads, {} ranks want {}",
                                          limit, node.size(), wanted));
      line.found = limit_text(limit);
      line.wanted = std::to_string(wanted);
    } else {
      lines.ok(limit_text(limit));
    }
  }
}

constexpr std::array kMemoryChecks = {
    Check{"mem.room", "the least of MemAvailable and the control group's limits, for each rank",
          "1.3 times 1 GiB + twice the newest checkpoint of RUN", "between that and once", "less",
          "ask for more memory (#SBATCH --mem=0) or start fewer ranks of a node", false, false, judge_room},
    Check{"mem.shm", "room in /dev/shm, where several ranks share a node or there are GPUs",
          "64 MiB a rank, with GPUs 512 MiB more", "less", "less than 16 MiB a rank",
          "give the container --shm-size=8g, or bind the node's /dev/shm", false, false, judge_shm},
    Check{"mem.leftovers", "files of MPI and NCCL in /dev/shm that no process maps", "none", "some", "",
          "rm -f /dev/shm/vader_segment*", false, false, judge_leftovers},
    Check{
        "limit.memlock", "getrlimit, where there is an InfiniBand device", "unlimited", "less", "",
        "ulimit -l unlimited; on Slurm PropagateResourceLimitsExcept=MEMLOCK and LimitMEMLOCK=infinity of slurmd",
        false, true, judge_memlock},
    Check{"limit.files", "the hard limit of open files", "shards + 512", "less", "less than shards + 64",
          "ulimit -n 65536 (or LimitNOFILE of slurmd)", false, false, judge_files},
    Check{"limit.processes", "the hard limit of processes and threads", "256 + 64 a rank", "less", "",
          "ulimit -u 65536", false, false, judge_processes},
};

}  // namespace

std::span<const Check> memory_checks() { return kMemoryChecks; }

}  // namespace facemae

// Memory that is left for this process, /dev/shm, and the limits of getrlimit.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::int64_t kNoLimit = std::int64_t{1} << 60;  ///< version 1 writes a huge number for "none"
constexpr auto kFresh = std::chrono::minutes(1);          ///< a process that starts maps its segment soon

std::int64_t cgroup_memory(const Machine& machine) {
  std::int64_t least = -1;
  for (const auto& folder : control_groups(machine, "memory"))
    for (const char* name : {"memory.max", "memory.limit_in_bytes"})
      if (const auto limit = number_of(folder / name); limit && *limit > 0 && *limit < kNoLimit)
        least = least < 0 ? *limit : std::min(least, *limit);
  return least;
}

bool is_segment(const std::string& name) {
  constexpr std::array kBeginnings = {"vader_segment", "sm_segment",     "psm",
                                      "nccl-",         "mpich_shar_tmp", "ucx_shm_"};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](const char* beginning) { return name.starts_with(beginning); });
}

/// All that processes have mapped, of those whose maps may be read.
std::string all_maps(const Machine& machine) {
  std::string maps;
  for (const auto& process : names_in(machine.at("/proc")))
    if (leading_number(process))
      for (const auto& line : lines_of(machine.at("/proc") / process / "maps"))
        if (line.find("/dev/shm/") != std::string::npos) maps += line + "\n";
  return maps;
}

std::vector<LeftFile> left_segments(const Machine& machine) {
  std::vector<LeftFile> left;
  std::string maps;
  const Path folder = machine.at("/dev/shm");
  for (const auto& name : names_in(folder)) {
    struct stat facts {};
    if (!is_segment(name) || ::lstat((folder / name).c_str(), &facts) != 0 ||
        facts.st_uid != machine.calls.user())
      continue;
    std::error_code unseen;
    const auto changed = std::filesystem::last_write_time(folder / name, unseen);
    if (unseen || std::filesystem::file_time_type::clock::now() - changed < kFresh) continue;
    if (maps.empty()) maps = all_maps(machine) + "\n";
    if (maps.find("/dev/shm/" + name) == std::string::npos)
      left.push_back({name, static_cast<std::int64_t>(facts.st_size)});
  }
  return left;
}

}  // namespace

MemoryPlace probe_memory(const Machine& machine) {
  MemoryPlace memory;
  if (const auto kib = leading_number(value_in(lines_of(machine.at("/proc/meminfo")), "MemAvailable")))
    memory.available = *kib * 1024;
  memory.limit = cgroup_memory(machine);
  if (const auto space = machine.calls.space(machine.at("/dev/shm"))) memory.shm = space->free;
  memory.left = left_segments(machine);
  return memory;
}

LimitPlace probe_limits(const Machine& machine) {
  const auto lines = lines_of(machine.at("/proc/self/limits"));
  // "Max open files            20000                20000                files": name, soft, hard.
  const auto hard = [&](const std::string& name) -> std::int64_t {
    std::vector<std::string> words;
    for (const auto& word : split(value_in(lines, name), ' '))
      if (!word.empty()) words.push_back(word);
    if (words.size() < 2) return -1;
    return words[1] == "unlimited" ? kUnlimited : leading_number(words[1]).value_or(-1);
  };
  return {.memlock = hard("Max locked memory"),
          .files = hard("Max open files"),
          .processes = hard("Max processes")};
}

}  // namespace facemae

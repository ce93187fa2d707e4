#include "cluster/host/data_mode.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

DataMode choose_mode(const std::string& wanted, std::uint64_t store_bytes, std::span<const LocalDisk> disks) {
  if (wanted == "shared") return {"shared", "--data-mode shared"};
  if (disks.empty()) {
    if (wanted == "replica")
      throw ConfigError("--data-mode replica needs --local-dir, a folder on a disk of each node");
    return {"shared", "no --local-dir was given"};
  }
  for (const auto& disk : disks) {
    const std::uint64_t missing = store_bytes - std::min(store_bytes, disk.staged);
    if (missing <= disk.free - disk.free / 20) continue;
    const std::string lack =
        fmt::format("{} has {} free on --local-dir, but {} of the shards are not there yet", disk.host,
                    human_bytes(disk.free), human_bytes(missing));
    if (wanted == "replica")
      throw ConfigError("--data-mode replica: " + lack + "; free space, or use --data-mode shared");
    return {"shared", lack};
  }
  return {"replica", wanted == "replica" ? "--data-mode replica"
                                         : fmt::format("the {} of the store fit on each of {} node(s)",
                                                       human_bytes(store_bytes), disks.size())};
}

std::vector<std::size_t> staging_sequence(std::size_t shards, int node, int nodes) {
  std::vector<std::size_t> sequence;
  const std::size_t first = shards * static_cast<std::size_t>(node) / static_cast<std::size_t>(nodes);
  for (std::size_t i = 0; i < shards; ++i) sequence.push_back((first + i) % shards);
  return sequence;
}

}  // namespace facemae
